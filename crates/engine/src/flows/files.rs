//! Steps about files in Bailee: copy, move, rename, delete, tag.
//!
//! What makes a file is done once by its name; the rest finds its own work done when it is run again.

use bailee_core::model::flow::{DeleteStep, PlaceStep, RenameStep, TagStep, Template};
use bailee_core::model::{ErrorKind, File, FilePath, FileState, FlowFile, OnConflict, StepFault};
use bailee_core::{CopyFile, FileChange, FileRef, Precondition, Purge, flow_file};

use super::place::places;
use super::walk::{Did, Runner, Scope, Trouble};

impl Runner<'_> {
    /// `copy`: other files of the same bytes.
    pub(super) async fn copy(
        &mut self,
        step: &PlaceStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        let mut made = Vec::with_capacity(taken.len());
        for (at, file) in taken.iter().enumerate() {
            let target = self.target(&step.to, file, scope)?;
            let name = format!("{key}/{at}");
            made.extend(
                self.copy_one(file, (&target, step.on_conflict), &name)
                    .await?,
            );
        }
        let note = format!("{} files copied.", made.len());
        Ok(Did::Done(made, Some(note)))
    }

    async fn copy_one(
        &self,
        file: &FlowFile,
        (target, rule): (&FilePath, OnConflict),
        name: &str,
    ) -> Result<Option<FlowFile>, Trouble> {
        let mut last = None;
        for path in places(target, rule) {
            let once = self.once(name).await?;
            let copy = CopyFile {
                path,
                overwrite: rule == OnConflict::Replace,
            };
            let files = self.shared.core.files();
            let placed = files.copy(&once.caller, file.file_id, copy).await;
            match self.came(once, placed).await {
                Ok(placed) => return Ok(Some(flow_file(&placed.file))),
                Err(error) if error.kind() == ErrorKind::FileExists => {
                    if rule == OnConflict::Skip {
                        return Ok(None);
                    }
                    last = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or_else(|| no_place(target).into(), Trouble::from))
    }

    /// `move`: the same files at other places.
    pub(super) async fn relocate(
        &mut self,
        step: &PlaceStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        let mut moved = Vec::with_capacity(taken.len());
        for file in &taken {
            let target = self.target(&step.to, file, scope)?;
            moved.extend(self.move_one(file, &target, step.on_conflict).await?);
        }
        let note = format!("{} files moved.", moved.len());
        Ok(Did::Done(moved, Some(note)))
    }

    /// `rename`: other names in the same folders.
    pub(super) async fn rename(
        &mut self,
        step: &RenameStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        let mut renamed = Vec::with_capacity(taken.len());
        for file in &taken {
            let place = Scope {
                prefix: scope.prefix.clone(),
                file: Some(file.clone()),
            };
            let name = self.render(&step.to, std::slice::from_ref(file), &place)?;
            let name = name.parse().map_err(|error| {
                StepFault::permanent("invalid_path", format!("`{name}`: {error}."))
            })?;
            let target = file.path.folder().file(name);
            renamed.extend(self.move_one(file, &target, step.on_conflict).await?);
        }
        let note = format!("{} files renamed.", renamed.len());
        Ok(Did::Done(renamed, Some(note)))
    }

    async fn move_one(
        &self,
        file: &FlowFile,
        target: &FilePath,
        rule: OnConflict,
    ) -> Result<Option<FlowFile>, Trouble> {
        let core = &self.shared.core;
        let there = core
            .files()
            .stat(&self.caller, FileRef::Id(file.file_id))
            .await?;
        if there.path != file.path && there.is_current {
            // An earlier try moved it; nothing else knows of a file between two places.
            if places(target, rule).contains(&there.path) {
                return Ok(Some(flow_file(&there)));
            }
        }
        let mut last = None;
        for path in places(target, rule) {
            match self.put_at(&there, &path).await {
                Ok(moved) => return Ok(Some(flow_file(&moved))),
                Err(error) if error.kind() == ErrorKind::FileExists => match rule {
                    OnConflict::Skip => return Ok(None),
                    OnConflict::Replace => {
                        let occupant = FileRef::Path(path.clone());
                        let files = core.files();
                        files
                            .delete(&self.caller, occupant, Purge::No, Precondition::Unasked)
                            .await?;
                        return Ok(Some(flow_file(&self.put_at(&there, &path).await?)));
                    }
                    OnConflict::Fail | OnConflict::Rename => last = Some(error),
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or_else(|| no_place(target).into(), Trouble::from))
    }

    async fn put_at(&self, file: &File, path: &FilePath) -> bailee_core::model::Result<File> {
        let change = FileChange {
            path: Some(path.clone()),
            ..FileChange::default()
        };
        let files = self.shared.core.files();
        files
            .update(&self.caller, file.id, change, Precondition::Unasked)
            .await
    }

    /// `delete`: files to the trash, or gone for good.
    pub(super) async fn delete(&mut self, step: &DeleteStep, key: &str) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        let purge = if step.purge { Purge::Yes } else { Purge::No };
        for file in &taken {
            let files = self.shared.core.files();
            let file = FileRef::Id(file.file_id);
            match files
                .delete(&self.caller, file, purge, Precondition::Unasked)
                .await
            {
                Ok(()) => {}
                // An earlier try, or somebody else, did it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let note = format!("{} files deleted.", taken.len());
        Ok(Did::Done(Vec::new(), Some(note)))
    }

    /// `tag`: what is said of files.
    pub(super) async fn tag(
        &mut self,
        step: &TagStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let taken = self.row(key)?.taken;
        for file in &taken {
            let place = Scope {
                prefix: scope.prefix.clone(),
                file: Some(file.clone()),
            };
            let render =
                |template: &Template| self.render(template, std::slice::from_ref(file), &place);
            let add = step.add.iter().map(render).collect::<Result<Vec<_>, _>>()?;
            let remove = step
                .remove
                .iter()
                .map(render)
                .collect::<Result<Vec<_>, _>>()?;
            let mut metadata = std::collections::BTreeMap::new();
            for (name, value) in &step.metadata {
                metadata.insert(name.clone(), value.as_ref().map(render).transpose()?);
            }
            let files = self.shared.core.files();
            let there = files.stat(&self.caller, FileRef::Id(file.file_id)).await?;
            if there.state != FileState::Available {
                let detail = format!("{} is not there any more.", file.path);
                return Err(StepFault::permanent("not_found", detail).into());
            }
            let mut tags = there.tags.clone();
            tags.retain(|tag| !remove.contains(tag));
            tags.extend(add);
            let change = FileChange {
                tags: Some(tags),
                metadata: (!metadata.is_empty()).then_some(metadata),
                classification: step.classification.map(Some),
                ..FileChange::default()
            };
            files
                .update(&self.caller, there.id, change, Precondition::Unasked)
                .await?;
        }
        let note = format!("{} files tagged.", taken.len());
        Ok(Did::Done(taken, Some(note)))
    }
}

fn no_place(target: &FilePath) -> StepFault {
    StepFault::permanent(
        "file_exists",
        format!("Every name beside {target} is taken."),
    )
}
