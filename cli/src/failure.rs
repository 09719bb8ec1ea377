use std::io::{self, Write};
use std::process::ExitCode;

use respike::baseline::BaselineError;
use respike::concepts::ConceptError;
use respike::continual::ContinualError;
use respike::dataset::DatasetError;
use respike::encode::EncodeError;
use respike::method::MethodError;
use respike::network::{NetworkError, SpecError};
use respike::recipe::RecipeError;
use respike::replay::ReplayError;
use respike::report::plot::PlotError;
use respike::report::{ResultFolderError, RunFolderError};
use respike::storage::{FolderLockError, Shown, is_machine_trouble};
use respike::suite::SuiteError;
use respike::train::TrainError;
use respike::tune::TuneError;

/// Why the program could not do what it was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was asked for, or what was given, is not right: exit code 2.
    BadInput(String),
    /// The program or the machine failed: exit code 1.
    Fault(anyhow::Error),
    /// Whoever read our output has seen enough: exit code 0.
    ReaderGone,
}

impl Failure {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Failure::BadInput(message.into())
    }

    pub(super) fn fault(message: impl Into<String>) -> Self {
        Failure::Fault(anyhow::Error::msg(message.into()))
    }

    /// A file that cannot be read is bad input, unless the machine is in trouble.
    fn of_file(error: &impl std::error::Error, source: &io::Error) -> Self {
        match is_machine_trouble(source) {
            true => Failure::fault(error.to_string()),
            false => Failure::bad(error.to_string()),
        }
    }

    /// Says on stderr, in one sentence, what went wrong.
    pub(super) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Failure::ReaderGone => return ExitCode::SUCCESS,
            Failure::BadInput(message) => (message, 2),
            // Our errors say what they come from.
            Failure::Fault(error) => (error.to_string(), 1),
        };
        // If stderr is gone there is nobody left to tell.
        let _ = writeln!(io::stderr(), "respike: {}", Shown(&message));
        ExitCode::from(code)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Fault(error.into()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Fault(error)
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Hdf5 {
                action: "written", ..
            } => Failure::Fault(error.into()),
            DatasetError::Unreadable { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        match error {
            _ if error.is_machine_trouble() => Failure::Fault(error.into()),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::CheckpointFile {
                action: "write", ..
            } => Failure::Fault(error.into()),
            TrainError::CheckpointFile { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::File {
                action: "write", ..
            } => Failure::Fault(error.into()),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<ContinualError> for Failure {
    fn from(error: ContinualError) -> Self {
        match error {
            ContinualError::Dataset(error) => error.into(),
            ContinualError::Train(error) => error.into(),
            ContinualError::Replay(error) => error.into(),
            ContinualError::StateFile { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<ConceptError> for Failure {
    fn from(error: ConceptError) -> Self {
        match error {
            ConceptError::Train(error) => error.into(),
            ConceptError::Replay(error) => error.into(),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<FolderLockError> for Failure {
    fn from(error: FolderLockError) -> Self {
        match error {
            FolderLockError::Io { ref source, .. } if !is_bad_place(source) => {
                Failure::Fault(error.into())
            }
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<RunFolderError> for Failure {
    fn from(error: RunFolderError) -> Self {
        match error {
            RunFolderError::Lock(error) => error.into(),
            RunFolderError::Io {
                action: "write" | "replace",
                ..
            } => Failure::Fault(error.into()),
            RunFolderError::Io { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<ResultFolderError> for Failure {
    fn from(error: ResultFolderError) -> Self {
        match error {
            ResultFolderError::Drawing { .. } => Failure::Fault(error.into()),
            ResultFolderError::Io { ref source, .. } if !is_bad_place(source) => {
                Failure::Fault(error.into())
            }
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        match error {
            SuiteError::Io {
                action: "write" | "make" | "replace",
                ref source,
                ..
            } if !is_bad_place(source) => Failure::Fault(error.into()),
            SuiteError::Drawing { .. } | SuiteError::Threads(_) => Failure::Fault(error.into()),
            SuiteError::Io { ref source, .. } | SuiteError::Unreadable { ref source, .. } => {
                Failure::of_file(&error, source)
            }
            SuiteError::Checkpoint(error) => error.into(),
            SuiteError::Lock(error) => error.into(),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        match error {
            SpecError::Unreadable { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<MethodError> for Failure {
    fn from(error: MethodError) -> Self {
        match error {
            MethodError::Unreadable { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Unreadable { ref source, .. } => Failure::of_file(&error, source),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Io {
                action: "write" | "replace",
                ..
            } => Failure::Fault(error.into()),
            TuneError::Io { ref source, .. } | TuneError::Unreadable { ref source, .. } => {
                Failure::of_file(&error, source)
            }
            TuneError::Dataset(error) => error.into(),
            TuneError::Train(error) => error.into(),
            TuneError::Lock(error) => error.into(),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        match error {
            BaselineError::Dataset(error) => error.into(),
            _ => Failure::bad(error.to_string()),
        }
    }
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        Failure::bad(error.to_string())
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        match error {
            PlotError::Drawing { .. } => Failure::Fault(error.into()),
            PlotError::CannotWrite { ref source, .. } if !is_bad_place(source) => {
                Failure::Fault(error.into())
            }
            _ => Failure::bad(error.to_string()),
        }
    }
}

/// Whether nothing can be written there for what the place is, and not for what the machine lacks.
pub(super) fn is_bad_place(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
    )
}
