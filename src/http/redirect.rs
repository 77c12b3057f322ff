//! Where a redirect leads, and what of the request goes there.
