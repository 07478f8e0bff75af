//! The meaning of each line, shown by a history that is linearizable only with that meaning.

use super::*;

#[test]
fn a_register_is_nil_at_first() {
    assert!(is_linearizable(&edn(&["0 invoke read nil", "0 ok read nil"])));
    assert!(!is_linearizable(&edn(&["0 invoke read nil", "0 ok read 0"])));
}

#[test]
fn a_missing_key_reads_as_the_empty_text() {
    assert!(is_linearizable(&edn(&["0 invoke get \"a\" = nil", "0 ok get \"a\" = \"\""])));
    assert!(is_linearizable(&edn(&["0 invoke get \"a\" = nil", "0 ok get \"a\" = nil"])));
    assert!(!is_linearizable(&edn(&["0 invoke get \"a\" = nil", "0 ok get \"a\" = \"x\""])));
}

#[test]
fn the_order_of_the_lines_is_the_order_of_time() {
    let write = ["0 invoke write 1", "0 ok write 1"];
    let read = ["1 invoke read nil", "1 ok read nil"];
    assert!(is_linearizable(&edn(&[read, write].concat())));
    assert!(!is_linearizable(&edn(&[write, read].concat())));
    assert!(is_linearizable(&edn(&[write[0], read[0], write[1], read[1]])), "they overlap");
}

#[test]
fn a_write_that_failed_did_not_happen() {
    let failed = ["0 invoke write 1", "0 fail write 1", "1 invoke read nil"];
    assert!(is_linearizable(&edn(&[&failed[..], &["1 ok read nil"]].concat())));
    assert!(!is_linearizable(&edn(&[&failed[..], &["1 ok read 1"]].concat())));
    let failed = ["0 invoke append \"a\" = \"1\"", "0 fail append \"a\" = \"1\""];
    let read = ["1 invoke get \"a\" = nil", "1 ok get \"a\" = \"1\""];
    assert!(!is_linearizable(&edn(&[failed, read].concat())));
}

#[test]
fn a_read_that_failed_says_nothing_about_the_value() {
    let failed = ["0 invoke write 1", "0 ok write 1", "1 invoke read nil", "1 fail read nil"];
    assert!(is_linearizable(&edn(&failed)));
    assert!(is_linearizable(&edn(&[&failed[..3], &["1 fail read 7"]].concat())));
    assert!(is_linearizable(&jepsen(&[&failed[..3], &["1 fail read :timed-out"]].concat())));
}

#[test]
fn the_answer_of_a_compare_and_set_is_ok_or_fail() {
    let write = ["0 invoke write 1", "0 ok write 1", "0 invoke cas [1 2]"];
    let after = |cas: &'static str, read: &'static str| {
        edn(&[&write[..], &[cas, "0 invoke read nil", read]].concat())
    };
    assert!(is_linearizable(&after("0 ok cas [1 2]", "0 ok read 2")));
    assert!(!is_linearizable(&after("0 ok cas [1 2]", "0 ok read 1")));
    // The `:fail` says that the value was not 1, but no other operation wrote.
    assert!(!is_linearizable(&after("0 fail cas [1 2]", "0 ok read 1")));
    assert!(is_linearizable(&after("0 info cas [1 2]", "0 ok read 1")));
    assert!(is_linearizable(&after("0 info cas [1 2]", "0 ok read 2")));
}

#[test]
fn a_compare_and_set_that_failed_with_an_error_did_not_happen() {
    let call = ["0 invoke write 1", "0 ok write 1", "0 invoke cas [1 2]"];
    let after = |end: &'static str, read: &'static str| {
        [&call[..], &[end, "1 invoke read nil", read]].concat()
    };
    let refused = "0 fail cas [1 2], :error :connection-refused";
    assert!(is_linearizable(&edn(&after(refused, "1 ok read 1"))));
    assert!(!is_linearizable(&edn(&after(refused, "1 ok read 2"))));
    assert!(!is_linearizable(&edn(&after("0 fail cas [1 2], :error nil", "1 ok read 1"))));
    // A log has no field names: the error is in the place of the value, or after it.
    for refused in ["0 fail cas :refused", "0 fail cas [1 2]\t:refused"] {
        assert!(is_linearizable(&jepsen(&after(refused, "1 ok read 1"))), "{refused}");
        assert!(!is_linearizable(&jepsen(&after(refused, "1 ok read 2"))), "{refused}");
    }
    assert!(!is_linearizable(&jepsen(&after("0 fail cas [1 2]", "1 ok read 1"))));
}

#[test]
fn a_compare_and_set_may_expect_nil() {
    let text =
        edn(&["0 invoke cas [nil 2]", "0 ok cas [nil 2]", "0 invoke read nil", "0 ok read 2"]);
    assert!(is_linearizable(&text));
}

#[test]
fn what_is_unknown_happened_at_any_later_time_or_never() {
    for end in ["0 info write :timed-out", ""] {
        let reads = |values: [&str; 2]| {
            let mut lines = vec!["0 invoke write 1".to_string()];
            lines.extend((!end.is_empty()).then(|| end.to_string()));
            for value in values {
                lines.push("1 invoke read nil".to_string());
                lines.push(format!("1 ok read {value}"));
            }
            edn(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(is_linearizable(&reads(["nil", "nil"])), "never");
        assert!(is_linearizable(&reads(["nil", "1"])), "later");
        assert!(is_linearizable(&reads(["1", "1"])), "at once");
        assert!(!is_linearizable(&reads(["1", "nil"])), "not undone");
    }
}

#[test]
fn what_is_unknown_did_not_happen_before_its_call() {
    let text = edn(&["1 invoke read nil", "1 ok read 1", "0 invoke write 1", "0 info write 1"]);
    assert!(!is_linearizable(&text));
}

#[test]
fn what_is_unknown_happens_once_at_most() {
    let text = |seen: &str| {
        edn(&[
            "0 invoke append \"a\" = \"1\"",
            "0 info append \"a\" = \"1\"",
            "1 invoke get \"a\" = nil",
            &format!("1 ok get \"a\" = {seen}"),
        ])
    };
    assert!(is_linearizable(&text("\"1\"")));
    assert!(!is_linearizable(&text("\"11\"")));
}

#[test]
fn a_process_comes_back_after_an_unknown_end() {
    let lost = ["0 invoke write 1", "0 info write :timed-out"];
    for process in [0, 5] {
        let read = [format!("{process} invoke read nil"), format!("{process} ok read 1")];
        let read: Vec<&str> = read.iter().map(String::as_str).collect();
        assert!(is_linearizable(&edn(&[&lost[..], &read].concat())));
        assert!(is_linearizable(&jepsen(&[&lost[..], &read].concat())));
    }
}

#[test]
fn a_process_makes_one_call_at_a_time() {
    let text = edn(&["0 invoke write 1", "0 invoke read nil"]);
    assert!(wrong(&text).starts_with("2:1: process 0 calls although its call in line 1 is open"));
    assert!(
        wrong(&jepsen(&["7 invoke write 1", "7 invoke read nil"])).starts_with("2:21: process 7")
    );
    let json = r#"{"client":4,"call":1,"return":9,"op":"read","answer":null}
{"client":4,"call":8,"return":9,"op":"read","answer":null}"#;
    assert!(wrong(json).starts_with("2:38: client 4 calls at 8 although its call in line 1"));
    assert!(is_linearizable(&json.replace("\"call\":8", "\"call\":9")), "one after the other");
    assert!(is_linearizable(&json.replacen("9,", "null,", 1).replacen(",\"answer\":null", "", 1)));
}

#[test]
fn an_end_belongs_to_a_call() {
    for kind in ["ok", "fail", "info"] {
        let text = edn(&[&format!("3 {kind} read nil")]);
        let what = format!("1:1: process 3 has :{kind} without a call");
        assert!(wrong(&text).starts_with(&what), "{}", wrong(&text));
        let twice = edn(&["0 invoke read nil", "0 info read nil", &format!("0 {kind} read nil")]);
        assert!(wrong(&twice).starts_with("3:1: process 0"), "{}", wrong(&twice));
    }
}

#[test]
fn an_end_is_of_the_function_and_key_that_were_called() {
    let text = edn(&["0 invoke read nil", "0 ok write 1"]);
    assert_eq!(wrong(&text), "2:1: the end of a :write, but process 0 called :read in line 1");
    let text = edn(&["0 invoke get \"a\" = nil", "0 ok get \"b\" = \"\""]);
    let what = "2:1: the end of a call with key \"b\", but process 0 called with \"a\" in line 1";
    assert_eq!(wrong(&text), what);
}

#[test]
fn a_number_a_text_and_a_keyword_are_three_keys() {
    let keys = ["1", "\"1\"", ":1"];
    let write = |key| [format!("0 invoke write {key} = 5"), format!("0 ok write {key} = 5")];
    let read = |key| [format!("0 invoke read {key} = nil"), format!("0 ok read {key} = nil")];
    for (written, other) in keys.iter().zip(keys.iter().cycle().skip(1)) {
        let lines = |key| write(written).into_iter().chain(read(key)).collect::<Vec<_>>();
        let text = |lines: Vec<String>| edn(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(is_linearizable(&text(lines(other))), "{written} and {other}");
        assert!(!is_linearizable(&text(lines(written))), "{written} and itself");
    }
    let what = "2:1: the end of a call with key \"1\", but process 0 called with 1 in line 1";
    assert_eq!(wrong(&edn(&["0 invoke read 1 = nil", "0 ok read \"1\" = nil"])), what);
    // A register with an empty name is not the register without a name.
    let nameless = ["0 invoke write 1", "0 ok write 1"];
    let named = ["0 invoke read \"\" = nil", "0 ok read \"\" = nil"];
    assert!(is_linearizable(&edn(&[nameless, named].concat())));
}

#[test]
fn keys_are_named_with_their_marks_only_where_these_tell_them_apart() {
    let names = |keys: [&str; 2]| {
        let lines = keys.map(|key| format!("{{:process 0, :type :info, :f :get, :key {key}}}"));
        let calls = lines.map(|line| format!("{}\n{line}", line.replace(":info", ":invoke")));
        let History::Kv(all) = file(&calls.join("\n")).unwrap().history else { panic!("gets") };
        all.iter().map(|get| get.input.key().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(["1", "2"]), "1 2");
    assert_eq!(names(["\"1\"", "\"a\""]), "1 a");
    assert_eq!(names([":1", ":a"]), "1 a");
    assert_eq!(names(["1", "\"1\""]), "1 \"1\"");
    assert_eq!(names([":1", "\"1\""]), ":1 \"1\"");
}

#[test]
fn equal_times_in_our_own_format_overlap() {
    let json = |call: u64| {
        format!(
            r#"{{"client":0,"call":1,"return":5,"op":"put","key":"a","value":"1"}}
{{"client":1,"call":{call},"return":9,"op":"get","key":"a","answer":""}}"#
        )
    };
    assert!(is_linearizable(&json(5)));
    assert!(!is_linearizable(&json(6)));
}

#[test]
fn keys_and_registers_are_independent() {
    let text = r#"{:process 0, :type :invoke, :f :write, :key "a", :value 1}
{:process 0, :type :ok, :f :write, :key "a", :value 1}
{:process 0, :type :invoke, :f :read, :key "b", :value nil}
{:process 0, :type :ok, :f :read, :key "b", :value nil}"#;
    assert!(is_linearizable(text));
    assert!(!is_linearizable(&text.replace("\"b\"", "\"a\"")));
}

#[test]
fn versions_are_judged_in_full() {
    let put = r#"{"client":0,"call":1,"return":2,"op":"put","key":"a","value":"x","version":0,"answer":"ok"}"#;
    let get = |answer: &str| {
        let get = r#"{"client":0,"call":3,"return":4,"op":"get","key":"a","answer":"#;
        format!("{put}\n{get}{answer}}}")
    };
    assert!(is_linearizable(&get(r#"{"value":"x","version":1}"#)));
    assert!(!is_linearizable(&get(r#"{"value":"x","version":2}"#)));
    assert!(!is_linearizable(&get("null")));
    for (answer, right) in [("ErrVersion", false), ("ErrNoKey", false), ("ErrMaybe", true)] {
        assert_eq!(is_linearizable(&put.replace("\"ok\"", &format!("{answer:?}"))), right);
    }
    assert!(is_linearizable(
        &put.replace("\"version\":0", "\"version\":3").replace("\"ok\"", "\"ErrNoKey\"")
    ));
}

#[test]
fn other_lines_of_a_log_are_ignored() {
    let log = format!(
        "INFO  jepsen.core - Running test:\n{{:name \"etcd\"}}\nWARN  x\n\n{}\n\
         INFO  jepsen.util - :nemesis\t:info\t:start\tnil\nINFO  jepsen.core - 3\t:invoke\n",
        jepsen(&["0 invoke read nil", "0 ok read nil"])
    );
    let recorded = file(&log).unwrap();
    assert_eq!(recorded.history.len(), 1);
    assert_eq!(recorded.places[0].to_string(), "5:21");
}

#[test]
fn the_nemesis_and_comments_are_not_operations() {
    let text = format!(
        "; a comment\n{{:process :nemesis, :type :info, :f :start, :value nil}}\n\n{}  ; the end\n",
        edn(&["0 invoke read nil"])
    );
    assert_eq!(file(&text).unwrap().history.len(), 1);
}

#[test]
fn operations_tell_the_model_and_one_that_does_not_fit_is_refused() {
    let model = |text: &str| file(text).unwrap().history.model();
    let get = edn(&["0 invoke get \"a\" = nil"]);
    assert_eq!(model(&get), ModelName::Kv);
    let cas = edn(&["1 invoke cas [1 2]"]);
    assert_eq!(model(&cas), ModelName::Register);
    let put = r#"{"client":0,"call":1,"return":null,"op":"put","key":"a","value":"x","version":0}"#;
    assert_eq!(model(put), ModelName::KvVersioned);

    let refused = |text: &str, model| read(text.as_bytes(), Some(model)).unwrap_err().to_string();
    let what = "1:1: get is not an operation of the model register, which has read, write, cas";
    assert_eq!(refused(&get, ModelName::Register), what);
    assert!(refused(put, ModelName::Kv).contains("a put with a version"));
    assert!(
        wrong(&format!("{get}\n{cas}")).starts_with("2:1: cas is not an operation of the model kv")
    );
    assert!(read(get.as_bytes(), Some(ModelName::KvVersioned)).is_ok());
}

#[test]
fn a_history_knows_its_size() {
    let Recorded { history, .. } = file(&edn(&["0 invoke write 1", "1 invoke write 2"])).unwrap();
    assert!(matches!(&history, History::Register(operations) if operations.len() == 2));
    assert_eq!((history.len(), history.is_empty()), (2, false));
}
