/// Phrases that templates call like word classes, made of words of several classes.
///
/// A phrase may use word classes, but no other phrase.
enum Phrases {
  /// The alternatives of the phrase `name`, equally likely, or nil where there is none.
  static func named(_ name: String) -> TemplateNode? { nodes[name] }

  private static let nodes: [String: TemplateNode] = listing.mapValues { sources in
    .choice(.uniform(sources.count), sources.map { TemplateParser.parse($0, allowsPhrases: false) })
  }

  private static let listing: [String: [String]] = [
    "said": ["<speech>", "<speech>", "<speech> <softly>"],
    "whispered": [
      "<speech> <softly>", "<speech> in {a} <tone> voice",
      "<speech> with {a} [shy|small|friendly|sad|bright|warm|sleepy|secret] smile",
    ],
    "far": [
      "<via> the <look> <landmark>", "<via> the <look> <landmark>",
      "<via> the <landmark> and <via> the <look> <landmark>", "<via> {a} <look> <landmark>",
    ],
    "dream": [
      "{a} <mood> <being> with {a} <color> <belonging>", "{a} <look> <landmark> made of <matter>",
      "{a} <mood> <being> and {a} <mood> <being>", "<wonder>", "<wonder>",
      "dancing with {a} <mood> <being>", "riding on {a} <color> <animal>",
    ],
    "sound": [
      "{a} <tone> <noise>", "{a} <tone> <noise> from the <landmark>", "{a} <tone> <noise>",
      "the <noise> of {a} <mood> <animal>",
    ],
    "bang": ["{a} <tone> <crash>", "{a} <tone> <crash> and {a} <tone> <crash>"],
    "dinner": ["<flavor> <dish>", "<dish>", "<flavor> <dish> and <dish>"],
    "home": [
      "<look> house near the <landmark>", "<look> cottage behind the <landmark>",
      "<look> village with {a} <look> <landmark>", "<look> farmhouse", "<look> town",
      "<color> house with {a} <look> garden", "<look> cabin by the <landmark>", "house by the sea",
    ],
    "den": [
      "hollow <tree>", "<look> den under {a} <tree>", "<look> burrow",
      "nest of [dry|soft|red|old|yellow] leaves",
      "<look> cave near the <landmark>", "hole under {a} <tree>", "<look> barn", "thick hedge",
    ],
    "like": [
      "like {a} <mood> <animal>", "like {a} <mood> <being>", "like {a} <animal> in {a} storm",
    ],
    "weather": [
      "The sky was <color>", "The <bird> sang in the <tree>",
      "{a} <mood> <animal> slept in the <tree>",
      "The sun shone on the <look> <landmark>", "The air smelled of <flavor> <dish>",
      "The wind blew <via> the <look> <landmark>", "The leaves of the <tree> were <color>",
      "Clouds as <color> as {a} <animal> floated by", "It had just stopped raining",
      "Fog lay <via> the <landmark>",
    ],
  ]
}
