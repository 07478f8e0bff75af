//! Our own format: one operation per line, as a JSON object.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::entry::{Answer, Entry, Function, Input, Key, Refusal, Value};
use super::place::{BadInput, Line, Place};

/// A line as it is read.
///
/// Each field is parsed on its own, so that an error has the column of its field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    client: &'a RawValue,
    #[serde(borrow)]
    call: &'a RawValue,
    #[serde(borrow)]
    r#return: &'a RawValue,
    #[serde(borrow)]
    op: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    version: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    from: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    to: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    answer: Option<&'a RawValue>,
}

/// Reads `null` as a value; without this it would be read as a missing field.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// A value with its version, as in the answer to a versioned get.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<'a> {
    value: std::borrow::Cow<'a, str>,
    version: u64,
}

/// Reads one line; `None` for a blank one.
pub(super) fn entry(line: Line<'_>) -> Result<Option<Entry>, BadInput> {
    if line.text.trim().is_empty() {
        return Ok(None);
    }
    let fields: Fields<'_> =
        serde_json::from_str(line.text).map_err(|error| syntax(line, &error))?;
    Reader { line, fields: &fields }.entry().map(Some)
}

/// What serde_json says, without the place that it names.
fn syntax(line: Line<'_>, error: &serde_json::Error) -> BadInput {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    line.wrong(error.column().saturating_sub(1), what)
}

struct Reader<'a> {
    line: Line<'a>,
    fields: &'a Fields<'a>,
}

impl<'a> Reader<'a> {
    fn entry(&self) -> Result<Entry, BadInput> {
        let fields = self.fields;
        let call = self.number(fields.call, "call")?;
        let input = self.input()?;
        let returned = match fields.r#return.get() {
            "null" => {
                self.refuse(fields.answer, "answer", "for an operation that never returned")?;
                None
            }
            _ => {
                let time = self.number(fields.r#return, "return")?;
                if time < call {
                    let what = format!("\"return\" is {time}, before \"call\", which is {call}");
                    return Err(self.wrong(fields.r#return, what));
                }
                Some((time, self.answer(&input)?))
            }
        };
        Ok(Entry {
            place: self.line.place_of(fields.op.get()),
            client: self.number(fields.client, "client")?,
            call,
            key: fields.key.map(|key| self.text(key, "key").map(Key::Text)).transpose()?,
            input,
            returned,
        })
    }

    fn input(&self) -> Result<Input, BadInput> {
        let fields = self.fields;
        let name = self.text(fields.op, "op")?;
        let function = Function::named(&name).ok_or_else(|| {
            let names = Function::ALL.map(Function::name).join(", ");
            self.wrong(fields.op, format!("no \"op\" is called {name:?}; expected one of {names}"))
        })?;
        let only = |allowed: &[&str]| {
            let extra = [
                ("value", fields.value),
                ("version", fields.version),
                ("from", fields.from),
                ("to", fields.to),
            ];
            extra
                .into_iter()
                .filter(|(name, _)| !allowed.contains(name))
                .try_for_each(|(field, raw)| self.refuse(raw, field, &format!("in a {name}")))
        };
        Ok(match function {
            Function::Get | Function::Read => {
                only(&[])?;
                if function == Function::Get { Input::Get } else { Input::Read }
            }
            Function::Put => {
                only(&["value", "version"])?;
                let version = fields.version.map(|raw| self.number(raw, "version")).transpose()?;
                Input::Put {
                    value: self.text(self.expect(fields.value, "value")?, "value")?,
                    version,
                }
            }
            Function::Append => {
                only(&["value"])?;
                Input::Append { value: self.text(self.expect(fields.value, "value")?, "value")? }
            }
            Function::Write => {
                only(&["value"])?;
                Input::Write { value: self.value(self.expect(fields.value, "value")?, "value")? }
            }
            Function::Cas => {
                only(&["from", "to"])?;
                Input::Cas {
                    from: self.value(self.expect(fields.from, "from")?, "from")?,
                    to: self.value(self.expect(fields.to, "to")?, "to")?,
                }
            }
        })
    }

    fn answer(&self, input: &Input) -> Result<Answer, BadInput> {
        let answer = self.fields.answer;
        let raw = || self.expect(answer, "answer");
        match input {
            Input::Get => self.got(raw()?),
            Input::Read => Ok(Answer::Value(self.value(raw()?, "answer")?)),
            Input::Cas { .. } => {
                let parsed = serde_json::from_str(raw()?.get());
                parsed.map(Answer::Swapped).map_err(|_| {
                    self.expected(raw().ok(), "answer", "true or false: did it find \"from\"?")
                })
            }
            Input::Put { version: Some(_), .. } => match self.text(raw()?, "answer")?.as_str() {
                "ok" => Ok(Answer::Done),
                "ErrVersion" => Ok(Answer::Refused(Refusal::Version)),
                "ErrNoKey" => Ok(Answer::Refused(Refusal::NoKey)),
                "ErrMaybe" => Ok(Answer::Refused(Refusal::Maybe)),
                _ => Err(self.expected(
                    answer,
                    "answer",
                    "\"ok\", \"ErrVersion\", \"ErrNoKey\" or \"ErrMaybe\"",
                )),
            },
            Input::Put { .. } | Input::Append { .. } | Input::Write { .. } => match answer {
                None => Ok(Answer::Done),
                Some(raw) if raw.get() == "\"ok\"" => Ok(Answer::Done),
                Some(_) => Err(self.expected(answer, "answer", "\"ok\", or nothing")),
            },
        }
    }

    /// A get's answer: a text, a text with a version, or `null` for a missing key.
    fn got(&self, raw: &'a RawValue) -> Result<Answer, BadInput> {
        if raw.get().starts_with('{') {
            let got: Versioned<'_> = serde_json::from_str(raw.get()).map_err(|_| {
                self.expected(Some(raw), "answer", "{\"value\": a string, \"version\": a number}")
            })?;
            return Ok(Answer::Versioned { value: got.value.into_owned(), version: got.version });
        }
        match self.value(raw, "answer")? {
            Value::Int(_) => Err(self.expected(Some(raw), "answer", "a string, an object or null")),
            value => Ok(Answer::Value(value)),
        }
    }

    fn number(&self, raw: &RawValue, field: &str) -> Result<u64, BadInput> {
        serde_json::from_str(raw.get())
            .map_err(|_| self.expected(Some(raw), field, "a whole number from 0"))
    }

    fn text(&self, raw: &RawValue, field: &str) -> Result<String, BadInput> {
        serde_json::from_str(raw.get()).map_err(|_| self.expected(Some(raw), field, "a string"))
    }

    fn value(&self, raw: &RawValue, field: &str) -> Result<Value, BadInput> {
        let text = raw.get();
        let wrong = || self.expected(Some(raw), field, "a string, a whole number or null");
        match text.as_bytes().first() {
            Some(b'n') => Ok(Value::Nil),
            Some(b'"') => self.text(raw, field).map(Value::Text),
            _ => serde_json::from_str(text).map(Value::Int).map_err(|_| wrong()),
        }
    }

    fn expect(&self, raw: Option<&'a RawValue>, field: &str) -> Result<&'a RawValue, BadInput> {
        raw.ok_or_else(|| {
            let op = self.fields.op;
            self.wrong(op, format!("a {} needs the field \"{field}\"", op.get().trim_matches('"')))
        })
    }

    fn refuse(&self, raw: Option<&RawValue>, field: &str, whose: &str) -> Result<(), BadInput> {
        let Some(raw) = raw else { return Ok(()) };
        Err(self.wrong(raw, format!("the field \"{field}\" has no meaning {whose}; leave it out")))
    }

    fn expected(&self, raw: Option<&RawValue>, field: &str, what: &str) -> BadInput {
        self.wrong(raw.unwrap_or(self.fields.op), format!("\"{field}\" is expected to be {what}"))
    }

    fn wrong(&self, raw: &RawValue, what: impl Into<String>) -> BadInput {
        self.place(raw).wrong(what)
    }

    fn place(&self, raw: &RawValue) -> Place {
        self.line.place_of(raw.get())
    }
}
