//! What the servers of databases answer, by their own codes. One that is not listed is the server's refusal of what it was
//! asked: kind `client`, `answered`, not transient.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Databases",
    introduction: "The codes of the servers: five characters are PostgreSQL's (SQLSTATE), `ER_` MySQL's and MariaDB's, `REDIS_` \
                   the first word of an answer of Redis, `MONGO_` the number of an answer of MongoDB. A code of a server that \
                   is not listed is its refusal of a statement: kind `client`, delivery `answered`, not transient. What broke \
                   on the way to the server is `ECONNRESET`, `ETIMEDOUT` and so on, as for any client.",
    entries: ENTRIES,
};

/// The server ends the session. Whether a statement that was sent had been done by then, nobody knows.
const ENDED: Entry = Entry::of(Kind::Server, Phase::Wait, Delivery::Unknown).transient().reconnect();
/// The server took no statement at all.
const NOT_UP: Entry = ENDED.at(Phase::Connect, Delivery::NotSent);
const FULL: Entry = Entry::of(Kind::Throttled, Phase::Connect, Delivery::NotSent).transient();
/// It was not done, and may be later.
const NOT_NOW: Entry = Entry::of(Kind::Server, Phase::Receive, Delivery::Answered).transient();
/// Another server may do it.
const ELSEWHERE: Entry = NOT_NOW.reconnect();

const RUN_AGAIN: &str = "Repeat a statement that is idempotent; of another one, find out whether it was done.";
const WHOLE: &str = "Repeat the transaction as a whole, from its first statement.";
const NEW_PRIMARY: &str = "Connect anew, to the server that writes now; a statement that was refused so was not done.";
const WAIT: &str = "Wait, and repeat it: it was not done.";
const FEWER: &str = "Open fewer connections: a pool with a bound for each process, or a pooler before the server.";
const READ_ONLY: &[&str] = &["A failover: it was the primary, and is a replica now", "The address leads to a replica"];
const SHUTDOWN: &[&str] = &["The server is restarted or updated", "An administrator, or a tool, ended the session"];

const ENTRIES: &[Entry] = &[
    Entry::of(Kind::Closed, Phase::Send, Delivery::NotSent)
        .code("ERR_CLIENT_CLOSED", "The program has closed the client, or its pool, itself.")
        .causes(&[
            "A statement after `end()`, `close()` or `destroy()`",
            "A shutdown that did not wait for what was running",
        ])
        .action("Close it when all that uses it has ended."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::NotSent)
        .code(
            "ERR_PERSISTENT_CLOSED",
            "The persistent connection was closed by the program. Nothing opens it again: make another one.",
        )
        .causes(&["A call after `close()`", "A call that was running when the time of `close()` had passed"])
        .action("Close it when all that uses it has ended."),
    Entry::of(Kind::TooLarge, Phase::Connect, Delivery::NotSent)
        .transient()
        .code(
            "ERR_PERSISTENT_WAITING",
            "No connection is free at present, and as many calls as `maxWaiting` allows wait for one already.",
        )
        .causes(&["The server is down, and calls go on coming"])
        .action("Let the caller wait or fail: more calls in the queue would not be served sooner."),
    Entry::of(Kind::Client, Phase::Receive, Delivery::Answered)
        .code("ERR_TRANSACTION_OPEN", "The function ended inside a transaction: it was rolled back.")
        .causes(&["A missing COMMIT or ROLLBACK on one of the ways out of the function"])
        .action("End the transaction with COMMIT or ROLLBACK."),
    ENDED
        .code("57P01", "The server ended the session: it shuts down, or an administrator wanted it.")
        .causes(SHUTDOWN)
        .action(RUN_AGAIN),
    ENDED
        .code("57P02", "The server ended all sessions, because one of its processes crashed.")
        .causes(&["A crash of one process of the server, after which all memory is made anew"])
        .action(RUN_AGAIN),
    NOT_UP
        .code("57P03", "The server takes no connections at present.")
        .causes(&["It is starting, stopping, or recovering from a crash"])
        .action("Nothing was sent: try again with backoff."),
    ENDED
        .code("57P05", "The server ended a session that was idle.")
        .causes(&["`idle_session_timeout` of the server is shorter than the connection was unused"])
        .action("Let the pool close idle connections sooner than the server does."),
    ENDED
        .code("08006", "A server lost a connection to another server.")
        .causes(&["A pooler, a proxy or a foreign table lost the server behind it"])
        .action(RUN_AGAIN),
    ENDED
        .code("08007", "The connection was lost while a transaction ended: whether it was done is not known.")
        .causes(&["A pooler, a proxy or a foreign table lost the server behind it"])
        .action(RUN_AGAIN),
    ENDED
        .code("08P01", "The protocol was broken; poolers say so when the server behind them is gone.")
        .causes(&["PgBouncer lost its server, or waited too long for one", "A client and a server that do not fit"])
        .action(RUN_AGAIN),
    ENDED
        .code("40003", "Whether the statement was done is not known.")
        .causes(&["A part of a distributed database did not answer while a transaction ended"])
        .action(RUN_AGAIN),
    FULL.code("53300", "The server has as many connections as it allows.")
        .causes(&[
            "More processes, or larger pools, than `max_connections` allows",
            "Connections that are never given back",
        ])
        .action(FEWER),
    ELSEWHERE
        .code("25006", "The server does not write: the transaction is read-only.")
        .causes(READ_ONLY)
        .action(NEW_PRIMARY),
    NOT_NOW
        .code("40001", "The transaction was rolled back, because it could not be put in order with others.")
        .causes(&["Other transactions changed what this one had read"])
        .action(WHOLE),
    NOT_NOW
        .code("40P01", "The transaction was rolled back, to end a deadlock.")
        .causes(&["Two transactions wait for each other's locks"])
        .action(WHOLE),
    NOT_NOW
        .code("55P03", "A lock was not to be had in time.")
        .causes(&["Another transaction holds it; `lock_timeout` or NOWAIT ended the wait"])
        .action(WHOLE),
    ENDED.code("ER_SERVER_SHUTDOWN", "The server shuts down.").causes(SHUTDOWN).action(RUN_AGAIN),
    ENDED.code("ER_NORMAL_SHUTDOWN", "The server shuts down.").causes(SHUTDOWN).action(RUN_AGAIN),
    ENDED
        .code("ER_CONNECTION_KILLED", "The session was ended from outside.")
        .causes(&["An administrator, or a tool, ended the session (KILL)", "The server shuts down (MariaDB)"])
        .action(RUN_AGAIN),
    ENDED
        .code("ER_CLIENT_INTERACTION_TIMEOUT", "The server ended a session that was idle.")
        .causes(&["`wait_timeout` of the server is shorter than the connection was unused"])
        .action("Let the pool close idle connections sooner than the server does."),
    FULL.code("ER_CON_COUNT_ERROR", "The server has as many connections as it allows.")
        .causes(&[
            "More processes, or larger pools, than `max_connections` allows",
            "Connections that are never given back",
        ])
        .action(FEWER),
    FULL.code("ER_TOO_MANY_USER_CONNECTIONS", "The user has as many connections as he may have.")
        .causes(&["`max_user_connections` is lower than the pools together"])
        .action(FEWER),
    ELSEWHERE
        .code(
            "ER_OPTION_PREVENTS_STATEMENT",
            "An option of the server forbids the statement, mostly that it is read-only.",
        )
        .causes(READ_ONLY)
        .action(NEW_PRIMARY),
    ELSEWHERE.code("ER_READ_ONLY_MODE", "The server does not write.").causes(READ_ONLY).action(NEW_PRIMARY),
    NOT_NOW
        .code("ER_LOCK_DEADLOCK", "The transaction was rolled back, to end a deadlock.")
        .causes(&["Two transactions wait for each other's locks"])
        .action(WHOLE),
    NOT_NOW
        .code("ER_LOCK_WAIT_TIMEOUT", "A lock was not to be had in time.")
        .causes(&["Another transaction holds it for longer than `innodb_lock_wait_timeout`"])
        .action("Roll the transaction back, and repeat it as a whole: only the statement was undone."),
    ELSEWHERE
        .code("REDIS_READONLY", "The server does not write: it is a replica.")
        .causes(READ_ONLY)
        .action(NEW_PRIMARY),
    NOT_NOW
        .code("REDIS_LOADING", "The server is starting, and loads its data.")
        .causes(&["It was restarted"])
        .action(WAIT),
    NOT_NOW
        .code("REDIS_MASTERDOWN", "The replica has lost its master, and does not answer with what may be old.")
        .causes(&["A failover is going on"])
        .action(WAIT),
    NOT_NOW
        .code("REDIS_CLUSTERDOWN", "The cluster does not serve the key at present.")
        .causes(&["A failover is going on", "Slots that no server has"])
        .action(WAIT),
    NOT_NOW
        .code("REDIS_TRYAGAIN", "The keys of the command are being moved between two servers.")
        .causes(&["The cluster is being reshaped"])
        .action(WAIT),
    NOT_NOW
        .code("REDIS_BUSY", "The server is busy with a script.")
        .causes(&["A script that runs for longer than `busy-reply-threshold`"])
        .action(WAIT),
    NOT_NOW
        .code("REDIS_NOREPLICAS", "Too few replicas are there for a write.")
        .causes(&["`min-replicas-to-write` is not met"])
        .action(WAIT),
    NOT_NOW
        .kind(Kind::Throttled)
        .code("REDIS_OOM", "The server has no memory left for a write.")
        .causes(&["`maxmemory` is reached, and nothing may be evicted"])
        .action("Give it more memory, or choose an eviction policy."),
    ELSEWHERE
        .code("MONGO_10107", "The server does not write: it is not the primary (NotWritablePrimary).")
        .causes(READ_ONLY)
        .action(NEW_PRIMARY),
    ELSEWHERE
        .code("MONGO_13435", "The server does not read: it is not the primary, and reading elsewhere was not allowed.")
        .causes(READ_ONLY)
        .action(NEW_PRIMARY),
    ELSEWHERE
        .code("MONGO_13436", "The server is recovering, and neither primary nor secondary.")
        .causes(&["It was restarted, or catches up"])
        .action(NEW_PRIMARY),
    ENDED
        .code("MONGO_11602", "The operation was interrupted, because the server changed its role.")
        .causes(&["An election of another primary"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_11600", "The operation was interrupted, because the server shuts down.")
        .causes(SHUTDOWN)
        .action(RUN_AGAIN),
    ENDED.code("MONGO_91", "The server shuts down.").causes(SHUTDOWN).action(RUN_AGAIN),
    ENDED
        .code("MONGO_189", "The primary stepped down while it worked on the operation.")
        .causes(&["An election of another primary"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_6", "A server could not reach another server (HostUnreachable).")
        .causes(&["A part of the cluster is down"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_7", "A server could not find another server (HostNotFound).")
        .causes(&["A part of the cluster is down"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_89", "A server did not reach another server in time (NetworkTimeout).")
        .causes(&["A part of the cluster is down or overloaded"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_9001", "A server lost a connection (SocketException).")
        .causes(&["A part of the cluster went down"])
        .action(RUN_AGAIN),
    ENDED
        .code("MONGO_10058", "The server ended the operation when the program's connection was lost.")
        .causes(&["The network"])
        .action(RUN_AGAIN),
    NOT_NOW
        .code("MONGO_134", "The server cannot read at the point in time that was asked for, not yet or not any more.")
        .causes(&["A secondary that is behind", "An election"])
        .action(WAIT),
    ENDED
        .code("MONGO_262", "The server's limit on the time of the operation was reached.")
        .causes(&["The server is overloaded"])
        .action(RUN_AGAIN),
    NOT_NOW
        .code("MONGO_112", "Another write was in the way (WriteConflict).")
        .causes(&["Two transactions change the same document"])
        .action(WHOLE),
];
