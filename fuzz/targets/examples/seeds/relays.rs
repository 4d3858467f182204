//! The seeds of the messages between relays.

/// A field of a protobuf message with a length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = match bytes.len() {
        length @ 0..128 => vec![length as u8],
        length => vec![length as u8 | 128, u8::try_from(length >> 7).expect("the fields of seeds are short")],
    };
    [&[(number << 3) | 2], &*length, bytes].concat()
}

/// A field of a protobuf message with a small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// The reports of a relay: alone, with publications, with sessions, with requests, and of another version.
pub(crate) fn reports() -> Vec<Vec<u8>> {
    let start = [number(1, 1), number(2, 7)].concat();
    let usage = [field(1, &[7; 16]), number(2, 100), number(3, 90)].concat();
    let batch = [number(1, 7), field(2, &usage), field(3, &usage)].concat();
    let count = [field(1, &[9; 16]), number(2, 5)].concat();
    let asks = field(4, &[3; 16]);
    vec![
        start.clone(),
        [start.clone(), field(5, &batch)].concat(),
        [start.clone(), number(3, 1), field(6, &count), field(6, &count)].concat(),
        [start, asks, field(5, &batch), field(6, &count)].concat(),
        number(1, 2),
    ]
}

/// The records of revocations: of an account, a context, both and everything; and one with a tag.
pub(crate) fn revocations() -> Vec<Vec<u8>> {
    let (installation, before) = (field(1, &[1; 16]), number(4, 99));
    let (account, context) = (field(2, &[2; 16]), [field(3, &[3; 16]), field(3, &[4; 16])].concat());
    let all = [installation.clone(), before.clone()].concat();
    let tag = [field(1, b"kid"), field(2, &[5; 64])].concat();
    vec![
        [installation.clone(), account.clone(), before.clone()].concat(),
        [installation.clone(), context.clone(), before.clone()].concat(),
        [installation, account, context, before].concat(),
        [number(1, 1), field(2, &all), field(3, &tag)].concat(),
        all,
    ]
}

/// The messages of two other relays about presence, each with its length in two bytes before it: greetings, the start of a stream with
/// members, changes and leaves, members that are handed on, and the end of a presence.
pub(crate) fn presence_links() -> Vec<Vec<u8>> {
    let fixed = |field: u8, value: u8| [&[(field << 3) | 1, value][..], &[0; 7]].concat();
    let names = [field(5, &[5; 16]), field(6, &[6; 16])].concat();
    let record = |id: u8, stamp: u8| {
        [
            field(1, &[id; 16]),
            number(2, 1),
            number(3, stamp),
            field(4, &[id; 60]),
            names.clone(),
            number(8, 99),
        ]
        .concat()
    };
    let state =
        |id: u8| [field(1, &[id; 16]), number(2, 1), number(3, 9), names.clone(), number(7, 1)].concat();
    let orphan = |id: u8| [record(id, 3), fixed(9, 77)].concat();
    let channel = |id: u8, news: &[Vec<u8>]| [&field(1, &[id; 16])[..], &news.concat()].concat();
    let from = |relay: u8, stream: u8, own: u8, channels: &[Vec<u8>]| {
        let news: Vec<u8> = channels.iter().flat_map(|channel| field(8, channel)).collect();
        [fixed(1, relay), number(3, stream), number(5, own), number(6, 1), number(7, 1), news].concat()
    };
    let parts = |messages: &[Vec<u8>]| {
        let part = |message: &Vec<u8>| {
            let length = u16::try_from(message.len()).expect("the seeds are short").to_be_bytes();
            [&length[..], message].concat()
        };
        messages.iter().flat_map(part).collect::<Vec<u8>>()
    };
    let (begins, ends) = ([number(3, 1), number(2, 1)].concat(), number(4, 1));
    let whole = |id: u8| {
        channel(id, &[begins.clone(), field(5, &record(11, 1)), field(5, &record(12, 1)), ends.clone()])
    };
    let left = [field(1, &[11; 16]), number(2, 9)].concat();
    vec![
        parts(&[from(2, 0, 5, &[])]),
        parts(&[from(2, 0, 5, &[]), from(2, 1, 5, &[whole(1), whole(2)])]),
        parts(&[
            from(2, 1, 5, &[whole(1)]),
            from(2, 1, 5, &[channel(1, &[field(5, &state(11)), field(6, &left)])]),
        ]),
        parts(&[
            from(2, 1, 5, &[channel(1, &[begins.clone(), field(5, &orphan(13)), ends.clone()])]),
            from(3, 1, 5, &[whole(1)]),
        ]),
        parts(&[
            from(2, 1, 5, &[whole(1)]),
            from(2, 1, 5, &[channel(1, &[number(2, 2)])]),
            from(2, 1, 0, &[]),
        ]),
        parts(&[
            from(2, 1, 5, &[whole(1)]),
            from(2, 0, 9, &[]),
            from(3, 1, 5, &[channel(1, &[field(6, &left)])]),
        ]),
    ]
}
