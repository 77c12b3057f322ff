//! What holds for every `Retry-After`; what becomes of one in a retry is in `policy::retries::tests::retry_after`.

use proptest::prelude::*;

use super::*;

/// The seconds of 0001-01-01 and of 9999-12-31T23:59:59, between which httpdate's dates lie.
const DATES: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;

fn seconds_of(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i128::from(after.as_secs()),
        Err(before) => -i128::from(before.duration().as_secs()),
    }
}

proptest! {
    #[test]
    fn digits_are_seconds_however_many_there_are(zeros in "0{0,30}", digits in "[0-9]{1,30}", around in "[ \t]{0,2}") {
        let written: u128 = digits.parse().expect("30 digits fit");
        let seconds = u64::try_from(written).unwrap_or(u64::MAX);
        let expected = Some(RetryAfter::Delay(Duration::from_secs(seconds)));
        prop_assert_eq!(RetryAfter::parse(&format!("{around}{zeros}{digits}{around}")), expected);
    }

    #[test]
    fn whatever_is_read_is_digits_or_a_date(
        value in prop_oneof![
            "[ -~]{0,32}",
            "[0-9 +.,-]{0,12}",
            "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        ],
        now in any::<u64>(),
    ) {
        match RetryAfter::parse(&value) {
            Some(RetryAfter::Delay(_)) => prop_assert!(value.trim().bytes().all(|byte| byte.is_ascii_digit())),
            Some(RetryAfter::At(time)) => {
                prop_assert!(DATES.contains(&seconds_of(time)), "{value}: {time:?}");
                // No clock is so far off that to count from it fails.
                let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now % (1 << 62));
                let delay = RetryAfter::At(time).delay_from(now);
                prop_assert_eq!(delay.is_zero(), time <= now);
            }
            None => prop_assert!(value.trim().is_empty() || !value.trim().bytes().all(|byte| byte.is_ascii_digit())),
        }
    }
}
