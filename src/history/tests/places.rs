//! An error in a file is reported with its line and its column.

use super::*;

#[test]
fn a_file_without_operations_has_nothing_to_judge() {
    for text in ["", "\n\n", "\u{feff}", "  \r\n; only a comment\n"] {
        assert_eq!(wrong(text), "1:1: no operation in the file", "{text:?}");
    }
    let failed = edn(&["0 invoke write 1", "0 fail write 1"]);
    assert!(wrong(&failed).contains("no operation in the file that happened"));
}

#[test]
fn a_file_of_no_format_is_refused() {
    for text in ["hello", "\n  [1 2]", "{}", "{1 2}", "<html>"] {
        assert!(wrong(text).contains("no history format begins like this"), "{text}");
    }
    assert!(wrong("\n  [1 2]").starts_with("2:3: "));
}

#[test]
fn line_ends_and_marks_of_other_systems_are_taken() {
    let edn = edn(&["0 invoke read nil", "0 ok read nil"]);
    let json = "{\"client\":0,\"call\":1,\"return\":2,\"op\":\"read\",\"answer\":null}\n";
    let log = jepsen(&["0 invoke read nil", "0 ok read nil"]);
    for text in [&edn, json, &log] {
        let plain = file(text).unwrap();
        assert_eq!(plain.history.len(), 1);
        let windows = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        assert_eq!(file(&windows).unwrap(), plain, "{windows:?}");
    }
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let error = read(b"{:process 0}\n\xc3\xa4 \xff", None).unwrap_err();
    assert!(error.to_string().starts_with("2:3: a byte that is not UTF-8"), "{error}");
}

/// The error in a good EDN line in which `from` was replaced by `to`.
fn edn_with(from: &str, to: &str) -> String {
    let good = r#"{:process 0, :type :invoke, :f :put, :key "a", :value "1"}"#;
    assert!(
        file(good).is_ok() && good.contains(from),
        "{from:?} is no part of a good file: {good}"
    );
    wrong(&good.replace(from, to))
}

#[test]
fn an_edn_map_has_the_fields_of_an_event() {
    for (from, to, what) in [
        (":process 0, ", "", "1:1: no :process in the map; expected :process, :type, :f"),
        ("0", "-1", "1:2: :process is expected to be a number from 0"),
        ("0", "\"0\"", "1:2: :process is expected to be a number from 0"),
        (":invoke", ":call", "1:14: :type is :call; expected :invoke, :ok, :fail or :info"),
        (":invoke", "1", "1:14: :type is expected to be a keyword"),
        (":put", ":set", "1:29: :f is :set; expected :get, :put, :append, :read, :write or :cas"),
        ("\"a\"", "[1]", "1:38: :key is expected to be a string or a number"),
        ("\"1\"", "1", "1:48: the value of a :put is expected to be a string"),
        (":key \"a\", ", "", "1:1: no key; expected one in each operation of the model kv"),
    ] {
        assert_eq!(edn_with(from, to), what);
    }
}

#[test]
fn what_is_no_edn_has_a_place() {
    for (from, to, what) in [
        ("}", "", "1:58: the line ends within a form"),
        ("}", "]", "1:58: ']' closes nothing"),
        ("0", "0x", "1:11: not a number of 64 bits"),
        ("0", "99999999999999999999", "1:11: not a number of 64 bits"),
        ("}", "} {}", "1:60: more than one form; expected one map a line"),
        (":f :put", ":f :put :f :get", "1:44: a key occurs twice in the map"),
    ] {
        assert_eq!(edn_with(from, to), what);
    }
    let text = format!("{}\n[1]", edn(&["0 invoke read nil"]));
    assert_eq!(wrong(&text), "2:1: not a map; expected {:process 0, :type :invoke, …}");
}

#[test]
fn values_that_a_function_cannot_use_are_refused() {
    for (line, what) in [
        ("0 invoke cas 1", "1:38: the value of a :cas is expected to be a pair [from to]"),
        ("0 invoke cas [1]", "1:38: the value of a :cas"),
        ("0 invoke write [1 2]", "1:40: the value of a :write"),
        ("0 invoke write nil", "1:1: a register cannot be made nil"),
        ("0 invoke append \"a\" = nil", "1:51: the value of a :append"),
    ] {
        let error = wrong(&edn(&[line]));
        assert!(error.starts_with(what), "{error} instead of {what}");
    }
    let text = edn(&["0 invoke read nil", "0 ok read :timed-out"]);
    assert!(wrong(&text).contains("the :ok of a :read has no value that could have been read"));
}

#[test]
fn a_line_of_jepsens_log_has_a_place() {
    for (line, what) in [
        ("0 begin read nil", "1:23: :begin is expected to be :invoke, :ok, :fail or :info"),
        ("0 invoke get nil", "1:31: \":get\" is expected to be :read, :write or :cas"),
        ("0 invoke cas [1", "1:38: the line ends within a form"),
        ("99999999999999999999 ok read 1", "1:21: a process is expected to be a 64-bit number"),
    ] {
        assert_eq!(wrong(&jepsen(&[line])), what);
    }
}

/// The error in a good line of ours in which `from` was replaced by `to`.
fn json_with(from: &str, to: &str) -> String {
    let good = r#"{"client":0,"call":5,"return":7,"op":"put","key":"a","value":"1"}"#;
    assert!(
        file(good).is_ok() && good.contains(from),
        "{from:?} is no part of a good file: {good}"
    );
    wrong(&good.replacen(from, to, 1))
}

#[test]
fn a_line_of_ours_has_the_fields_of_an_operation() {
    for (from, to, what) in [
        ("\"client\":0,", "", "1:54: missing field `client`"),
        (",\"return\":7", "", "1:54: missing field `return`"),
        ("0", "-1", "1:11: \"client\" is expected to be a whole number from 0"),
        ("5", "5.5", "1:20: \"call\" is expected to be a whole number from 0"),
        ("7", "4", "1:31: \"return\" is 4, before \"call\", which is 5"),
        ("\"put\"", "\"set\"", "1:38: no \"op\" is called \"set\"; expected one of get, put"),
        ("\"value\":\"1\"", "\"value\":1", "1:62: \"value\" is expected to be a string"),
        (",\"value\":\"1\"", "", "1:38: a put needs the field \"value\""),
        ("\"put\"", "\"get\"", "1:62: the field \"value\" has no meaning in a get; leave it out"),
        ("}", ",\"answer\":\"no\"}", "1:75: \"answer\" is expected to be \"ok\", or nothing"),
        ("\"key\"", "\"kee\"", "1:48: unknown field `kee`, expected one of"),
        ("}", "", "1:64: EOF while parsing an object"),
        ("}", "} x", "1:67: trailing characters"),
    ] {
        let error = json_with(from, to);
        assert!(error.starts_with(what), "{error} instead of {what}");
    }
}

#[test]
fn an_answer_is_one_of_its_operation() {
    let line = |op: &str, more: &str| {
        wrong(&format!(r#"{{"client":0,"call":5,"return":7,"op":"{op}","key":"a",{more}}}"#))
    };
    for (op, more, what) in [
        ("get", "\"answer\":1", "\"answer\" is expected to be a string, an object or null"),
        ("get", "\"answer\":{\"value\":1}", "\"answer\" is expected to be {\"value\""),
        ("get", "\"answer\":[]", "\"answer\" is expected to be a string, a whole number or null"),
        ("read", "\"answer\":1.5", "\"answer\" is expected to be a string, a whole number or null"),
        ("cas", "\"from\":1,\"to\":2,\"answer\":1", "\"answer\" is expected to be true or false"),
        ("cas", "\"from\":1,\"to\":2", "a cas needs the field \"answer\""),
        ("put", "\"value\":\"x\",\"version\":1", "a put needs the field \"answer\""),
        (
            "put",
            "\"value\":\"x\",\"version\":1,\"answer\":\"no\"",
            "\"answer\" is expected to be \"ok\"",
        ),
    ] {
        assert!(line(op, more).contains(what), "{}", line(op, more));
    }
    let open = r#"{"client":0,"call":5,"return":null,"op":"read","answer":1}"#;
    assert!(wrong(open).contains("no meaning for an operation that never returned"));
}

#[test]
fn a_line_that_never_ends_is_read() {
    let huge = "x".repeat(3_000_000);
    let text = edn(&[&format!("0 invoke put \"a\" = \"{huge}\"")]);
    assert_eq!(file(&text).unwrap().history.len(), 1);
    assert!(wrong(&huge).starts_with("1:1: no history format"));
    for deep in ["[", "{:a ", "#{", "(", "#x "] {
        let text = format!("{{:process {}", deep.repeat(200_000));
        assert!(wrong(&text).starts_with("1:"), "{}", wrong(&text));
    }
    let text = format!("{{\"client\":{}", "[".repeat(200_000));
    assert!(wrong(&text).starts_with("1:"), "{}", wrong(&text));
}
