//! How often.

use super::*;

#[test]
fn three_retries_follow_the_first_attempt() {
    let mut retries = begin(Options::default());
    let decide = |retries: &mut Retries| {
        delay(retries.decide(&reset(), request("GET"), None, false, at(0), &mut Highest))
    };
    assert_eq!(retries.attempt(), 1);
    assert_eq!(decide(&mut retries), Ok(millis(100)));
    assert_eq!(decide(&mut retries), Ok(millis(200)));
    assert_eq!(decide(&mut retries), Ok(millis(400)));
    assert_eq!(retries.attempt(), 4);
    assert_eq!(decide(&mut retries), Err(GaveUp::AttemptsExhausted));
    assert_eq!(retries.attempt(), 4);
}

#[test]
fn progress_counts_attempts_and_time_anew() {
    let options = Options {
        retries: 1,
        within: Duration::from_secs(1),
        ..Options::default()
    };
    let mut retries = begin(options);
    let decide = |retries: &mut Retries, now| {
        delay(retries.decide(&reset(), request("GET"), None, false, now, &mut Highest))
    };
    assert_eq!(decide(&mut retries, at(0)), Ok(millis(100)));
    assert_eq!(decide(&mut retries, at(0)), Err(GaveUp::AttemptsExhausted));

    retries.progressed();
    assert_eq!(decide(&mut retries, at(3_600_000)), Ok(millis(100)));
    assert!(!retries.out_of_time(at(3_601_000)));
    assert!(retries.out_of_time(at(3_601_001)));
    assert_eq!(
        decide(&mut retries, at(3_600_100)),
        Err(GaveUp::AttemptsExhausted)
    );
    assert_eq!(retries.attempt(), 3);
    assert_eq!(retries.elapsed(at(3_600_100)), millis(3_600_100));
}
