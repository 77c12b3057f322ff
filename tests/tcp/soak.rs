//! Many losses leave nothing behind.

use unreset::tcp::event::Event;

use crate::support::*;

#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_thousand_resets_in_a_row() {
    const RESETS: u32 = 10_000;
    let (listener, port) = listen().await;
    let mut options = to(port);
    options.reconnect.backoff.base = std::time::Duration::ZERO;
    options.reconnect.backoff.cap = std::time::Duration::ZERO;
    let mut client = Client::open(options);
    let resetting = tokio::spawn(async move {
        for _ in 0..RESETS {
            reset(accept(&listener).await);
        }
        let mut last = accept(&listener).await;
        write(&mut last, "enough").await;
        last
    });
    let before = descriptors();
    let mut struck = 0;
    loop {
        match client.next().await {
            // Some are reset before they are found to be made.
            Event::Waiting { .. } => struck += 1,
            Event::Data { bytes } => break assert_eq!(&*bytes, b"enough"),
            _ => {}
        }
    }
    let _last = within(resetting).await.unwrap();
    assert_eq!(struck, RESETS);
    // Other tests of this binary open some meanwhile; ten thousand they are not.
    assert!(descriptors() < before + 2000, "{before} before, {} after", descriptors());
}
