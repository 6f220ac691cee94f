//! Where a step finds files and puts them.

use bailee_core::model::Error;
use bailee_core::model::flow::{PathPattern, Template};
use bailee_core::model::{
    ErrorKind, FileName, FilePath, FlowFile, FlowRunId, FolderPath, OnConflict, PageRequest,
    StepFault, limit as model_limit,
};
use bailee_core::{Begin, Caller, FileQuery, FileRef};

use super::walk::{Halt, Runner, Scope, Trouble};
use crate::limit;

/// Below this folder runs keep what lies between their steps, where the flow names none.
const WORK_FOLDER: &str = ".flows";

impl Runner<'_> {
    /// Below which each run has its own folder.
    fn runs_folder(&self) -> bailee_core::model::Result<FolderPath> {
        if let Some(folder) = &self.document.work_folder {
            return Ok(folder.clone());
        }
        let first = self.caller.path_prefixes().first().cloned();
        below(&first.unwrap_or_default(), WORK_FOLDER)
    }

    /// The folder that is the run's own.
    pub(super) fn run_folder(&self) -> Result<FolderPath, StepFault> {
        let base = self.runs_folder();
        let run = base.and_then(|base| below(&base, &self.run.id.to_string()));
        run.map_err(|error| unnameable(&error))
    }

    /// The folder of the run that a file between steps belongs to.
    pub(super) fn run_folder_of(&self, file: &FilePath) -> Option<FolderPath> {
        let base = self.runs_folder().ok()?;
        let name = file.folder().names().get(base.names().len())?;
        name.as_str().parse::<FlowRunId>().ok()?;
        let folder = base.child(name.clone()).ok()?;
        file.is_within(&folder).then_some(folder)
    }

    /// The folder that is a step's own.
    pub(super) fn work_folder(&self, key: &str) -> Result<FolderPath, StepFault> {
        let run = self.run_folder()?;
        below(&run, key).map_err(|error| unnameable(&error))
    }

    /// The files in Bailee that a pattern means.
    pub(super) async fn list(&self, text: &str) -> Result<Vec<FlowFile>, Trouble> {
        let pattern: PathPattern = text.parse().map_err(|detail| {
            StepFault::permanent("invalid_path", format!("`{text}`: {detail}."))
        })?;
        let core = &self.shared.core;
        if let Some(path) = pattern.file() {
            let file = FileRef::Path(path.clone());
            return match core.flow_works().file(&self.caller, file).await {
                Ok(file) => Ok(vec![file]),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error.into()),
            };
        }
        let query = FileQuery {
            below: Some(pattern.folder().clone()),
            ..FileQuery::default()
        };
        let mut page = PageRequest {
            limit: model_limit::PAGE_MAX,
            after: None,
        };
        let mut found = Vec::new();
        loop {
            let listed = core
                .files()
                .list(&self.caller, query.clone(), page.clone())
                .await?;
            let meant = listed
                .data
                .iter()
                .filter(|file| pattern.matches(&file.path));
            found.extend(meant.map(bailee_core::flow_file));
            if found.len() > model_limit::FLOW_FILES_MAX {
                let detail = format!(
                    "`{text}` means more than {} files.",
                    model_limit::FLOW_FILES_MAX
                );
                return Err(StepFault::permanent("too_many_files", detail).into());
            }
            page.after = listed.next;
            if page.after.is_none() {
                break;
            }
        }
        found.sort_by(|a: &FlowFile, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The place that a template names for a file: below a folder under its own name, or itself.
    pub(super) fn target(
        &self,
        to: &Template,
        file: &FlowFile,
        scope: &Scope,
    ) -> Result<FilePath, StepFault> {
        let place = Scope {
            prefix: scope.prefix.clone(),
            file: Some(file.clone()),
        };
        let text = self.render(to, std::slice::from_ref(file), &place)?;
        let named = if text.ends_with('/') {
            let folder = text.parse::<FolderPath>();
            folder.map(|folder| folder.file(file.name.clone()))
        } else {
            text.parse::<FilePath>()
        };
        named.map_err(|error| StepFault::permanent("invalid_path", format!("`{text}`: {error}.")))
    }

    /// A caller whose work is done once, however often it is asked for by this name.
    pub(super) async fn once(&self, name: &str) -> Result<Once, Trouble> {
        let core = &self.shared.core;
        let text = format!("{}/{name}", self.run.id);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let key = hex::encode(digest);
        let begun = core
            .idempotency()
            .begin(&self.caller, "flow_runs.step", &key, "")
            .await?;
        match begun {
            Begin::Fresh(slot) => Ok(Once {
                caller: slot.caller(),
                slot: Some(*slot),
            }),
            Begin::Replay(_) => {
                Err(Halt::Broken(Error::internal("a step was answered like a request")).into())
            }
        }
    }

    /// What came of work that is done once. What failed did nothing, and may be asked for again.
    pub(super) async fn came<T>(
        &self,
        once: Once,
        result: bailee_core::model::Result<T>,
    ) -> bailee_core::model::Result<T> {
        if result.is_err()
            && let Some(slot) = once.slot
        {
            self.shared.core.idempotency().release(slot).await?;
        }
        result
    }
}

/// Work that is done once.
pub(super) struct Once {
    pub(super) caller: Caller,
    slot: Option<bailee_core::IdempotencySlot>,
}

/// The pattern that a template says. Letters that mean others count where the document writes them; those that a trigger
/// brought are refused, for whoever wrote them could mean files that the document does not.
pub(super) fn as_pattern<'t>(template: &Template, text: &'t str) -> Result<&'t str, StepFault> {
    let wild = |text: &str| text.matches(['*', '?', '[']).count();
    if template.is_told() && wild(text) > wild(&template.outline()) {
        let detail = format!("`{template}` becomes `{text}`: what a trigger tells is no pattern.");
        return Err(StepFault::permanent("invalid_path", detail));
    }
    Ok(text)
}

fn unnameable(error: &Error) -> StepFault {
    let detail = format!("The working folder cannot be named: {}", error.detail());
    StepFault::permanent("invalid_path", detail)
}

fn below(folder: &FolderPath, name: &str) -> bailee_core::model::Result<FolderPath> {
    Ok(folder.child(name.parse::<FileName>()?)?)
}

/// The places that are tried for a file in turn, as the step's rule for a taken one says.
pub(super) fn places(path: &FilePath, rule: OnConflict) -> Vec<FilePath> {
    let mut places = vec![path.clone()];
    if rule == OnConflict::Rename {
        let numbered =
            (2..limit::NAMES_TRIED_MAX).map_while(|number| path.name().numbered(number).ok());
        places.extend(numbered.map(|name| path.folder().file(name)));
    }
    places
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn only_the_document_writes_patterns() {
        let told: Template = "/in/${trigger.body.name}*".parse().unwrap();
        assert_eq!(as_pattern(&told, "/in/a*").unwrap(), "/in/a*");
        for text in ["/in/**", "/in/?*", "/in/[a]*"] {
            assert_eq!(as_pattern(&told, text).unwrap_err().code, "invalid_path");
        }
        let own: Template = "/in/${params.name}".parse().unwrap();
        assert_eq!(as_pattern(&own, "/in/*").unwrap(), "/in/*");
    }
}
