//! The numbers of the operating systems, and the names that a Node programmer knows them by.
//!
//! Rust reports what the system said (104 on Linux, 54 on macOS, 10054 on Windows). Node reports the negated
//! number on Unix and a number of libuv's own on Windows (-4077). The names are the same everywhere, so code,
//! documentation and tests are written against the names.

use std::io::ErrorKind;

/// The name of a number as [`std::io::Error::raw_os_error`] gives it on this platform.
pub fn name_of_os_error(number: i32) -> Option<&'static str> {
    TABLE.iter().find(|row| row.system(Platform::HERE) == Some(number)).map(|row| row.name)
}

/// The number that Node puts into `error.errno` on this platform for this name.
pub fn node_errno(name: &str) -> Option<i32> {
    TABLE.iter().find(|row| row.name == name).and_then(|row| row.node(Platform::HERE))
}

/// The name of a number that Node reported in `error.errno`. For an error that lost its `code` on the way.
pub fn name_of_node_errno(number: i32) -> Option<&'static str> {
    TABLE.iter().find(|row| row.node(Platform::HERE) == Some(number)).map(|row| row.name)
}

/// The name that fits an I/O error which carries no number, because a library made it and not the system.
pub fn name_of_io_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        // A stream that ended in the middle of something is the peer's FIN: `ECONNRESET`, as Node reports it.
        ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => "ECONNRESET",
        ErrorKind::BrokenPipe | ErrorKind::WriteZero => "EPIPE",
        ErrorKind::ConnectionAborted => "ECONNABORTED",
        ErrorKind::ConnectionRefused => "ECONNREFUSED",
        ErrorKind::NotConnected => "ENOTCONN",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::HostUnreachable => "EHOSTUNREACH",
        ErrorKind::NetworkUnreachable => "ENETUNREACH",
        ErrorKind::NetworkDown => "ENETDOWN",
        ErrorKind::AddrInUse => "EADDRINUSE",
        ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        ErrorKind::PermissionDenied => "EACCES",
        ErrorKind::OutOfMemory => "ENOMEM",
        ErrorKind::NotFound => "ENOENT",
        _ => return None,
    })
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Platform {
    Linux,
    Mac,
    Windows,
}

impl Platform {
    // Other Unix systems share the numbers of the BSD family, which macOS has too.
    const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        Self::Linux
    } else {
        Self::Mac
    };
}

/// One name and its numbers; 0 where the system does not have it.
struct Row {
    name: &'static str,
    linux: i32,
    mac: i32,
    /// Winsock (`WSAECONNRESET`), or a Win32 error where the call is not one of Winsock.
    windows: i32,
    /// libuv's number on Windows, where it does not pass the system's own through (`uv/errno.h`).
    libuv: i32,
}

impl Row {
    fn system(&self, platform: Platform) -> Option<i32> {
        let number = match platform {
            Platform::Linux => self.linux,
            Platform::Mac => self.mac,
            Platform::Windows => self.windows,
        };
        (number != 0).then_some(number)
    }

    fn node(&self, platform: Platform) -> Option<i32> {
        match platform {
            Platform::Windows => (self.libuv != 0).then_some(self.libuv),
            unix => self.system(unix).map(|number| -number),
        }
    }
}

const fn row(name: &'static str, linux: i32, mac: i32, windows: i32, libuv: i32) -> Row {
    Row { name, linux, mac, windows, libuv }
}

/// Linux: `asm-generic/errno.h` (MIPS and SPARC number differently). macOS: `sys/errno.h`. Windows: `winerror.h`.
#[rustfmt::skip]
static TABLE: &[Row] = &[
    row("ECONNRESET",      104, 54, 10054, -4077),
    row("ECONNREFUSED",    111, 61, 10061, -4078),
    row("ECONNABORTED",    103, 53, 10053, -4079),
    row("EPIPE",            32, 32,   109, -4047),
    row("ETIMEDOUT",       110, 60, 10060, -4039),
    row("EHOSTUNREACH",    113, 65, 10065, -4073),
    row("EHOSTDOWN",       112, 64, 10064, -4031),
    row("ENETUNREACH",     101, 51, 10051, -4062),
    row("ENETDOWN",        100, 50, 10050, -4063),
    row("ENETRESET",       102, 52, 10052,     0),
    row("ENONET",           64,  0,     0, -4056),
    row("ENOTCONN",        107, 57, 10057, -4053),
    row("ESHUTDOWN",       108, 58, 10058, -4042),
    row("EALREADY",        114, 37, 10037, -4084),
    row("EISCONN",         106, 56, 10056, -4069),
    row("EADDRINUSE",       98, 48, 10048, -4091),
    row("EADDRNOTAVAIL",    99, 49, 10049, -4090),
    row("EAFNOSUPPORT",     97, 47, 10047, -4089),
    row("EPROTONOSUPPORT",  93, 43, 10043, -4045),
    row("EPROTOTYPE",       91, 41, 10041, -4044),
    row("EPROTO",           71,100,     0, -4046),
    row("EMSGSIZE",         90, 40, 10040, -4065),
    row("ENOTSOCK",         88, 38, 10038, -4050),
    row("EDESTADDRREQ",     89, 39, 10039, -4076),
    row("EMFILE",           24, 24, 10024, -4066),
    row("ENFILE",           23, 23,     0, -4061),
    row("ENOBUFS",         105, 55, 10055, -4060),
    row("ENOMEM",           12, 12,     8, -4057),
    row("EACCES",           13, 13, 10013, -4092),
    row("EPERM",             1,  1,     0, -4048),
    row("EBADF",             9,  9, 10009, -4083),
    row("EINVAL",           22, 22, 10022, -4071),
    row("ENOENT",            2,  2,     2, -4058),
    row("EINTR",             4,  4, 10004, -4072),
    row("EAGAIN",           11, 35, 10035, -4088),
    row("EIO",               5,  5,     0, -4070),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unambiguous_on_every_platform() {
        for platform in [Platform::Linux, Platform::Mac, Platform::Windows] {
            for (at, row) in TABLE.iter().enumerate() {
                for other in &TABLE[at + 1..] {
                    assert_ne!(row.name, other.name);
                    let (name, twin) = (row.name, other.name);
                    assert!(
                        row.system(platform).is_none() || row.system(platform) != other.system(platform),
                        "{name} {twin}"
                    );
                    assert!(
                        row.node(platform).is_none() || row.node(platform) != other.node(platform),
                        "{name} {twin}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_platform_uses_its_own_numbers() {
        let reset = &TABLE[0];
        assert_eq!((reset.system(Platform::Linux), reset.node(Platform::Linux)), (Some(104), Some(-104)));
        assert_eq!((reset.system(Platform::Mac), reset.node(Platform::Mac)), (Some(54), Some(-54)));
        assert_eq!((reset.system(Platform::Windows), reset.node(Platform::Windows)), (Some(10054), Some(-4077)));
    }

    #[test]
    fn this_platform_agrees_with_the_standard_library() {
        for name in ["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]
        {
            let row = TABLE.iter().find(|row| row.name == name).unwrap();
            let number = row.system(Platform::HERE).unwrap();
            assert_eq!(name_of_os_error(number), Some(name));
            assert_eq!(name_of_io_kind(std::io::Error::from_raw_os_error(number).kind()), Some(name));
            assert_eq!(name_of_node_errno(node_errno(name).unwrap()), Some(name));
        }
    }

    #[test]
    fn what_is_not_listed_has_no_name() {
        assert_eq!(name_of_os_error(0), None);
        assert_eq!(name_of_node_errno(0), None);
        assert_eq!(node_errno("E_MADE_UP"), None);
        assert_eq!(name_of_io_kind(ErrorKind::Other), None);
    }
}
