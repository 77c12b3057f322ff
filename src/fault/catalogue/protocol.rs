//! Answers that are not the protocol they should be.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Protocol errors",
    introduction: "What the peer sent is not valid HTTP. The connection is not used again. The codes that begin with `HPE_` \
                   come from Node's HTTP parser, and so from `http`, axios, got and node-fetch as well as from undici.",
    entries: ENTRIES,
};

/// The peer sent something, but perhaps before it had read the request: delivery stays unknown.
const MALFORMED: Entry = Entry::of(Kind::Protocol, Phase::Receive, Delivery::Unknown).reconnect();
const TOO_LARGE: Entry = MALFORMED.kind(Kind::TooLarge);
const NOT_HTTP: &str = "Check that the port speaks HTTP; `curl -v` shows what it sends.";
const SERVER_BUG: &str = "The server or a proxy is at fault; `curl -v` shows what it sends.";

const ENTRIES: &[Entry] = &[
    MALFORMED
        .code("HPE_INVALID_CONSTANT", "The answer does not begin as an HTTP response does.")
        .causes(&[
            "The port speaks another protocol (TLS, SSH, a database)",
            "Bytes of an earlier response are left on the connection",
        ])
        .action(NOT_HTTP),
    MALFORMED
        .code("HPE_INVALID_VERSION", "The HTTP version of the answer is not valid.")
        .causes(&["The port speaks another protocol", "A broken server"])
        .action(NOT_HTTP),
    MALFORMED
        .code("HPE_INVALID_STATUS", "The status of the answer is not a number.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_INVALID_HEADER_TOKEN", "A response header contains characters that are not allowed.")
        .causes(&["A line break or control character in a header value", "An old server that sends non-ASCII headers"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_INVALID_CONTENT_LENGTH", "The Content-Length of the answer is not a number.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_UNEXPECTED_CONTENT_LENGTH", "The answer has a Content-Length where it must not have one.")
        .causes(&["Content-Length twice, or together with Transfer-Encoding: chunked"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_INVALID_TRANSFER_ENCODING", "The Transfer-Encoding of the answer is not valid.")
        .causes(&["A broken server or proxy"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_INVALID_CHUNK_SIZE", "A chunk of the body has no valid size.")
        .causes(&["A proxy that cut or changed the body", "A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .becomes("ECONNRESET")
        .kind(Kind::Reset)
        .transient()
        .code("HPE_INVALID_EOF_STATE", "The connection ended in the middle of the answer.")
        .causes(&["The server or a proxy closed the connection inside a response"])
        .action("As ECONNRESET."),
    MALFORMED
        .code("HPE_CLOSED_CONNECTION", "Data arrived after the answer that was to be the last.")
        .causes(&["A server that sends a body with a status that has none, or with `Connection: close`"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_LF_EXPECTED", "A line of the answer ends with a carriage return only.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_CR_EXPECTED", "A line of the answer ends without a carriage return.")
        .causes(&["A broken server or proxy"])
        .action("The server is at fault; `insecureHTTPParser` accepts it at a risk."),
    MALFORMED
        .code("HPE_UNEXPECTED_SPACE", "A line of the answer has a space where none may be.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_STRICT", "The answer breaks a rule that the parser enforces.")
        .causes(&["A broken server or proxy"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_INVALID_METHOD", "A request with an unknown method arrived.")
        .causes(&["TLS on a plain HTTP port", "Bytes that are not a request"])
        .action("Use https: for TLS ports and http: for others."),
    MALFORMED
        .code("HPE_INVALID_URL", "A request with a malformed target arrived.")
        .causes(&["A space or control character in the path"])
        .action("Escape the path."),
    TOO_LARGE
        .code("HPE_HEADER_OVERFLOW", "The headers of the answer are larger, or more, than the limit.")
        .causes(&["Many or large cookies", "More than 256 headers, which this package's `fetch` does not read"])
        .action(
            "Send fewer. For Node's own clients raise `maxHeaderSize` (`--max-http-header-size`), 16 KiB by default.",
        ),
    TOO_LARGE
        .code("UND_ERR_HEADERS_OVERFLOW", "The headers of the answer are larger than the limit (undici).")
        .becomes("HPE_HEADER_OVERFLOW")
        .causes(&["Many or large cookies"])
        .action("Raise `maxHeaderSize`."),
    TOO_LARGE
        .code("HPE_CHUNK_EXTENSIONS_OVERFLOW", "The extensions of a chunk are larger than the limit.")
        .causes(&["An attack, or a broken peer"])
        .action(SERVER_BUG),
    MALFORMED
        .code("HPE_UNKNOWN", "The HTTP parser rejects what the peer sent and does not say why (undici 7 and 8).")
        .causes(&["The port speaks another protocol", "A broken server or proxy"])
        .action(NOT_HTTP),
    MALFORMED
        .code("HPE_*", "The HTTP parser rejects what the peer sent.")
        .causes(&["A broken server or proxy", "The port speaks another protocol"])
        .action(NOT_HTTP),
    MALFORMED
        .becomes("ECONNRESET")
        .kind(Kind::Reset)
        .transient()
        .at(Phase::Receive, Delivery::Answered)
        .code("UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "The response body is shorter than its Content-Length (undici).")
        .causes(&["The server closed inside a response", "A proxy that changed the body and not its length"])
        .action("As ECONNRESET. Do not use the part that arrived as if it were whole."),
    MALFORMED
        .code("ERR_HTTP_SOCKET_ENCODING", "The encoding of an HTTP socket was changed.")
        .causes(&["setEncoding was called on the socket"])
        .action("Do not change the encoding of the socket."),
    MALFORMED
        .code("UND_ERR_INFO", "The client met a condition that it reports as information (undici).")
        .transient()
        .causes(&["A connection reset by the client itself, as after an idle time"])
        .action("Look at the message and the cause."),
    MALFORMED
        .code("ERR_HTTP2_*", "The HTTP/2 connection failed.")
        .causes(&["The server or a proxy breaks the protocol", "A request that HTTP/2 does not allow"])
        .action("Read the message; try HTTP/1.1."),
    MALFORMED
        .code("ERR_HTTP2_ERROR", "The HTTP/2 peer broke the protocol.")
        .causes(&["The server does not speak HTTP/2", "A proxy that changes the data"])
        .action("Try HTTP/1.1."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("Z_DATA_ERROR", "The compressed body is damaged.")
        .causes(&["A wrong Content-Encoding", "A proxy that changed the body"])
        .action("`curl -v --raw` shows what arrives. `decompress: false` hands the body over as it is."),
    MALFORMED
        .transient()
        .at(Phase::Receive, Delivery::Answered)
        .code("Z_BUF_ERROR", "The compressed body ended early, although the response itself was complete.")
        .causes(&[
            "The server closed inside a body that has no Content-Length and no chunks, which looks like its end",
            "A proxy lost its own connection to the server, and passed the part on as if it were whole",
        ])
        .action("As ECONNRESET. Do not use the part that arrived as if it were whole."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("ERR_TOO_MANY_CONTENT_ENCODINGS", "The response was encoded more often than is undone.")
        .causes(&["An attack: each coding multiplies the work of the next", "A chain of proxies that each compress"])
        .action("Read Content-Encoding with `decompress: false`, and correct the server."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("ERR_RESUME_CHANGED", "The rest of a body that broke off is of another version of it.")
        .causes(&[
            "The resource was changed during the transfer",
            "Servers behind one name that do not hold the same version, or give it different entity tags",
        ])
        .action("Begin the transfer anew, and drop the part that arrived: it is of a version that is gone."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("ERR_RESUME_RANGE", "The server did not send the part of the body that was asked for.")
        .causes(&[
            "A server that ignores Range",
            "A Content-Range that is missing or wrong",
            "A redirect in the middle of a transfer",
        ])
        .action("`curl -r 100- -v` shows what the server does with ranges."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("ERR_BAD_RESPONSE", "The response is not usable (axios).")
        .causes(&[
            "A status of 5xx: `error.response` has it",
            "The body ended early, or is larger than `maxContentLength`",
        ])
        .action("Look at `error.response`."),
    MALFORMED
        .at(Phase::Wait, Delivery::Unknown)
        .kind(Kind::Unknown)
        .code("ERR_NETWORK", "The network failed (axios in a browser or with fetch); the cause is not told.")
        .causes(&["The browser hides the cause: no network, DNS, TLS or CORS", "The cause is on `error.cause`"])
        .action("Look at `error.cause` and the console."),
    MALFORMED
        .at(Phase::Receive, Delivery::Answered)
        .code("ERR_READING_RESPONSE_STREAM", "Reading the response failed (got).")
        .causes(&["The cause is on `error.cause`"])
        .action("Look at `error.cause`."),
];
