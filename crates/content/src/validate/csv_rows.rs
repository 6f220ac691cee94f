//! The rows of a CSV file as RFC 4180 has them, read strictly: a quote begins and ends a field or is doubled within one.

use crate::limit::{CSV_COLUMNS_MAX, CSV_FIELD_BYTES_MAX};

/// A row and the line on which it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) fields: Vec<Vec<u8>>,
}

/// What ends the reading: rows after it cannot be told apart any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within a quoted field: its end, or the first of two.
    Quote,
    /// After CR: LF must follow.
    Return,
}

#[derive(Debug)]
pub(super) struct Rows {
    delimiter: u8,
    state: State,
    line: u64,
    row: Row,
    field: Vec<u8>,
}

impl Rows {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::FieldStart,
            line: 1,
            row: Row {
                line: 1,
                fields: Vec::new(),
            },
            field: Vec::new(),
        }
    }

    /// Takes a byte; gives a row that it ends.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<Row>, Broken> {
        let is_delimiter = byte == self.delimiter;
        match (self.state, byte) {
            (State::Return, b'\n') => return Ok(Some(self.end_row())),
            (State::Return, _) => return Err(self.broken("a carriage return stands alone")),
            (State::Quoted, b'"') => self.state = State::Quote,
            (State::Quoted, _) => self.push(byte)?,
            (State::Quote, b'"') => {
                self.state = State::Quoted;
                self.push(byte)?;
            }
            (State::FieldStart, b'"') => self.state = State::Quoted,
            (_, b'\n') => return Ok(Some(self.end_row())),
            (_, b'\r') => self.state = State::Return,
            (_, _) if is_delimiter => {
                self.end_field()?;
                self.state = State::FieldStart;
            }
            (State::Quote, _) => return Err(self.broken("something follows a closing quote")),
            (_, b'"') => return Err(self.broken("a quote stands within a field that has none")),
            (State::FieldStart | State::Plain, _) => {
                self.state = State::Plain;
                self.push(byte)?;
            }
        }
        if byte == b'\n' {
            self.line += 1;
        }
        Ok(None)
    }

    /// The last row, if the file does not end with a line break.
    pub(super) fn finish(mut self) -> Result<Option<Row>, Broken> {
        match self.state {
            State::Quoted => Err(Broken {
                line: self.row.line,
                why: "a quote is never closed",
            }),
            State::Return => Err(self.broken("a carriage return stands alone")),
            State::FieldStart if self.row.fields.is_empty() => Ok(None),
            _ => Ok(Some(self.end_row())),
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Broken> {
        if self.field.len() == CSV_FIELD_BYTES_MAX {
            return Err(self.broken("a field is too long"));
        }
        self.field.push(byte);
        Ok(())
    }

    fn end_field(&mut self) -> Result<(), Broken> {
        if self.row.fields.len() == CSV_COLUMNS_MAX {
            return Err(self.broken("a row has too many columns"));
        }
        self.row.fields.push(std::mem::take(&mut self.field));
        Ok(())
    }

    fn end_row(&mut self) -> Row {
        self.row.fields.push(std::mem::take(&mut self.field));
        self.state = State::FieldStart;
        self.line += 1;
        let next = Row {
            line: self.line,
            fields: Vec::new(),
        };
        std::mem::replace(&mut self.row, next)
    }

    fn broken(&self, why: &'static str) -> Broken {
        Broken {
            line: self.line,
            why,
        }
    }
}
