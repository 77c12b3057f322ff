//! What calls to one origin share.
