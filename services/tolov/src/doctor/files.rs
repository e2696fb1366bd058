//! Whether the files of this installation can be opened at all.

use super::report::Finding;
use crate::{
    cli::DoctorRole,
    data_folder::{DataFolder, DataLock, Part},
};

/// Takes the lock that every command takes. A finding means that the files must not be looked at.
pub(super) fn lock(data: &DataFolder, role: DoctorRole) -> (Option<DataLock>, Vec<Finding>) {
    let parts: &[Part] = match role {
        DoctorRole::All => &Part::ALL,
        DoctorRole::Webhook => &[Part::Ledger],
        DoctorRole::Projector | DoctorRole::Bot | DoctorRole::Reconciler => return (None, Vec::new()),
    };
    // The first start creates folders and locks, the doctor does not.
    let existing: Vec<Part> = data.existing_parts().into_iter().filter(|part| parts.contains(part)).collect();
    match data.refuse_half_restored(parts).and_then(|()| data.share(&existing)) {
        Ok(lock) => (Some(lock), Vec::new()),
        Err(error) => (None, vec![Finding::bad("files-locked").with("detail", format!("{error:#}"))]),
    }
}
