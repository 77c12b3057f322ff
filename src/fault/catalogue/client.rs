//! Mistakes of the caller, found by a client library before or after the call. Never transient.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "The caller's own mistakes",
    introduction: "Something in the call itself is wrong. A retry of the same call fails the same way.",
    entries: ENTRIES,
};

const MISTAKE: Entry = Entry::of(Kind::Client, Phase::Send, Delivery::NotSent);
/// A response came first.
const ANSWERED: Entry = Entry::of(Kind::Client, Phase::Receive, Delivery::Answered);
const FIX_CALL: &str = "Correct the call: the message names what is wrong.";
const FIX_REDIRECTS: &str = "Find the loop with `redirect: 'manual'`, or raise the limit.";

const ENTRIES: &[Entry] = &[
    MISTAKE
        .code("ERR_INVALID_URL", "The URL is not valid.")
        .causes(&["A relative URL, or a missing scheme", "An undefined variable in a template string"])
        .action("Use an absolute http: or https: URL."),
    MISTAKE
        .code("ERR_INVALID_PROTOCOL", "The scheme of the URL is not supported.")
        .causes(&["https: given to the http module, or the other way round"])
        .action("Use the module or agent that fits the scheme."),
    MISTAKE
        .code("ERR_UNSUPPORTED_PROTOCOL", "The scheme of the URL is not supported.")
        .causes(&["A scheme other than http: and https:"])
        .action("Use an http: or https: URL."),
    MISTAKE
        .code("ERR_UNESCAPED_CHARACTERS", "The path contains characters that must be escaped.")
        .causes(&["A space or a non-ASCII character in a path"])
        .action("Use `encodeURI` or the URL class."),
    MISTAKE
        .code("ERR_INVALID_ARG_TYPE", "An argument has the wrong type.")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_INVALID_ARG_VALUE", "An argument has an invalid value.")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_OUT_OF_RANGE", "An argument is out of range.")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_SOCKET_BAD_PORT", "The port is not between 0 and 65535.")
        .causes(&["A port read from the environment and not converted or not set"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_INVALID_IP_ADDRESS", "The address is not an IP address.")
        .causes(&["A custom `lookup` that returned something else"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_INVALID_HTTP_TOKEN", "A method or header name contains characters that are not allowed.")
        .causes(&["A space or a colon in a header name"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_INVALID_CHAR", "A header value contains characters that are not allowed.")
        .causes(&["A line break at the end of a token that was read from a file", "Non-ASCII text in a header"])
        .action("Trim or encode the value."),
    MISTAKE
        .code("ERR_HTTP_INVALID_HEADER_VALUE", "A header has no valid value.")
        .causes(&["A header set to undefined"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_HTTP_HEADERS_SENT", "A header was set after the headers had been sent.")
        .causes(&["setHeader after write or end"])
        .action(FIX_CALL),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_STREAM_WRITE_AFTER_END", "Data was written after the end of the request.")
        .causes(&["write after end"])
        .action(FIX_CALL),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", "The request body is longer or shorter than its Content-Length.")
        .causes(&["A Content-Length counted in characters instead of bytes", "A file that changed while it was sent"])
        .action("Leave Content-Length out: the client sets it."),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_HTTP_CONTENT_LENGTH_MISMATCH", "The body is longer or shorter than its Content-Length.")
        .causes(&["A Content-Length counted in characters instead of bytes"])
        .action("Leave Content-Length out: the client sets it."),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_UPLOAD", "The stream that was to be uploaded failed (got).")
        .causes(&["The source of the upload failed"])
        .action("Look at the cause: the network is not at fault."),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("UND_ERR_REQ_RETRY", "The call cannot be retried any further (undici).")
        .causes(&["The retry handler of undici gave up"])
        .action("Look at the status and the cause."),
    MISTAKE
        .code("UND_ERR_INVALID_ARG", "An argument is not valid (undici).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("UND_ERR_INVALID_RETURN_VALUE", "A handler returned the wrong thing (undici).")
        .at(Phase::Receive, Delivery::Unknown)
        .causes(&["A custom handler or factory"])
        .action(FIX_CALL),
    MISTAKE
        .code("UND_ERR_NOT_SUPPORTED", "The feature is not supported (undici).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("UND_ERR_BPL_MISSING_UPSTREAM", "The balanced pool has no server (undici).")
        .causes(&["All upstreams were removed"])
        .action("Add an upstream."),
    MISTAKE
        .code("UND_ERR_MAX_ORIGINS_REACHED", "The agent talks to as many origins as it may (undici).")
        .causes(&["`maxOrigins` is lower than the number of servers"])
        .action("Raise `maxOrigins`."),
    MISTAKE
        .code("ERR_BAD_OPTION", "An option is not valid (axios).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_BAD_OPTION_VALUE", "An option has an invalid value (axios).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_NOT_SUPPORT", "The feature is not supported (axios).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_DEPRECATED", "The feature is no longer supported (axios).")
        .causes(&["A mistake in the call"])
        .action(FIX_CALL),
    MISTAKE
        .code("ERR_FORM_DATA_DEPTH_EXCEEDED", "The form data is nested too deeply (axios).")
        .causes(&["A cyclic or very deep object as form data"])
        .action(FIX_CALL),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_BAD_REQUEST", "The request is not valid, or the server rejects it (axios).")
        .causes(&["A status of 4xx: `error.response` has it", "A mistake in the call"])
        .action("Read the response body; correct the request."),
    MISTAKE
        .code("ERR_BAD_PORT", "The URL names a port that fetch does not connect to: another protocol lives there.")
        .causes(&[
            "A service on a port of the Fetch standard's list, such as 6000, 6666 or 10080",
            "A URL that somebody else wrote, meant to reach a mail server or the like",
        ])
        .action("Let the service listen on another port, or call it with `node:http`."),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_BODY_NOT_REPLAYABLE", "The call would have to be repeated and its body cannot be sent again.")
        .causes(&["A stream as request body that is larger than what is kept for replay"])
        .action("Give the body as `() => stream`, as bytes, or make it smaller."),
    MISTAKE
        .at(Phase::Send, Delivery::Unknown)
        .code("ERR_BODY_SOURCE_FAILED", "The request body failed while it was read.")
        .causes(&["The stream or the function given as `body` failed", "A file that was removed while it was sent"])
        .action("Look at the `cause` of the error: the network is not at fault."),
    ANSWERED
        .code("ERR_TOO_MANY_REDIRECTS", "The server redirects too often.")
        .causes(&["Two URLs that redirect to each other", "A missing cookie or login"])
        .action(FIX_REDIRECTS),
    ANSWERED
        .code("ERR_FR_TOO_MANY_REDIRECTS", "The server redirects too often (axios, follow-redirects).")
        .causes(&["Two URLs that redirect to each other"])
        .action(FIX_REDIRECTS),
    ANSWERED
        .code("UND_ERR_REDIRECT_MAX", "The server redirects too often (undici).")
        .causes(&["Two URLs that redirect to each other"])
        .action(FIX_REDIRECTS),
    ANSWERED
        .code("ERR_UNEXPECTED_REDIRECT", "The server redirects and the call may not follow.")
        .causes(&["`redirect: 'error'`", "A stream as request body, which cannot be sent again (node-fetch)"])
        .action("Call the new URL, or allow redirects."),
    ANSWERED
        .code("ERR_INVALID_REDIRECT", "The server redirected to somewhere that cannot be followed.")
        .causes(&[
            "A Location that is not a valid URL, perhaps from a variable that was not set",
            "A Location whose scheme is neither http: nor https:",
            "A Location with a user name or password in it",
        ])
        .action("Read the Location header (`redirect: 'manual'`), and correct the server."),
    ANSWERED
        .code("ERR_INTEGRITY_MISMATCH", "The body of the response is not the one that `integrity` asks for.")
        .causes(&["The file was changed and the digest was not", "Something on the way changed the body"])
        .action("Do not use the response. Compare the digest with that of the file that was meant."),
    ANSWERED
        .kind(Kind::TooLarge)
        .code("ERR_RESPONSE_TOO_LARGE", "The response is larger than the limit.")
        .causes(&[
            "The limit (`maxResponseSize`, `size` of node-fetch) is too low",
            "A small compressed body that decodes to a huge one: an attack, or a mistake of the server",
        ])
        .action("Raise the limit, or read the response as a stream."),
    ANSWERED
        .code("ERR_FR_REDIRECTION_FAILURE", "A redirect could not be followed (axios, follow-redirects).")
        .causes(&["A Location that is not a valid URL"])
        .action("Read the Location header."),
    ANSWERED
        .kind(Kind::TooLarge)
        .code(
            "ERR_FR_MAX_BODY_LENGTH_EXCEEDED",
            "The request body is larger than `maxBodyLength` (axios, follow-redirects).",
        )
        .at(Phase::Send, Delivery::Unknown)
        .causes(&["A limit of 10 MB by default"])
        .action("Raise `maxBodyLength`."),
    ANSWERED
        .kind(Kind::TooLarge)
        .code("UND_ERR_RES_EXCEEDED_MAX_SIZE", "The response is larger than the limit (undici).")
        .causes(&["`maxResponseSize` is too low"])
        .action("Raise the limit, or read the response as a stream."),
    ANSWERED
        .kind(Kind::TooLarge)
        .code("UND_ERR_WS_MESSAGE_SIZE_EXCEEDED", "A WebSocket message is larger than the limit (undici).")
        .causes(&["A message above the limit, perhaps only after decompression"])
        .action("Raise the limit, or let the server send smaller messages."),
];
