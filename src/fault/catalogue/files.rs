//! What keeps a download from becoming a file.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Files that downloads become",
    introduction: "The server answered, and the file could not be made of what it sent. What has been written of it stays \
                   beside it as `.part` unless the entry says otherwise, and the next `downloadTo` goes on from there.",
    entries: ENTRIES,
};

const LOCAL: Entry = Entry::of(Kind::Client, Phase::Receive, Delivery::Answered);

const ENTRIES: &[Entry] = &[
    LOCAL
        .code("ENOSPC", "The disk is full.")
        .causes(&["The file is larger than what is free", "Something else fills the disk, often logs"])
        .action("Make room and call again: the download goes on with what is there."),
    LOCAL
        .code("EDQUOT", "The user's share of the disk is used up.")
        .causes(&["A quota on the user, the project or the volume"])
        .action("Make room and call again: the download goes on with what is there."),
    LOCAL
        .code("EFBIG", "The file is larger than a file may be here.")
        .causes(&["A limit of the process (`ulimit -f`)", "A file system that ends at 4 GiB (FAT32)"])
        .action("Raise the limit, or write to another file system."),
    LOCAL
        .code("EROFS", "The file system can only be read.")
        .causes(&["A read-only volume of a container", "A disk that was remounted after an error"])
        .action("Write to another file system."),
    LOCAL
        .at(Phase::Send, Delivery::NotSent)
        .code("ERR_DOWNLOAD_LOCKED", "Another download is writing to this path.")
        .causes(&["A second process, or a second call of this one, with the same path"])
        .action("Wait for the other one, or write to another path."),
    LOCAL
        .code("ERR_DIGEST_MISMATCH", "The bytes that came are not those that a digest promised.")
        .causes(&[
            "The file was changed and the digest was not",
            "Something on the way changed the bytes, or the disk did",
            "Two versions of the file under one entity tag",
        ])
        .action("Nothing is kept of it, so the next call begins anew. If it persists, compare the digest with that of the file that was meant."),
    LOCAL
        .code("ERR_DOWNLOAD_SIZE", "The file on the disk is not as long as what was written to it.")
        .causes(&["Another program wrote to the `.part` file, or cut it"])
        .action("Nothing is kept of it, so the next call begins anew."),
];
