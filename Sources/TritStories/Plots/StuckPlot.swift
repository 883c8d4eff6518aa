/// A toy is stuck, one tool fails, another works.
struct StuckPlot: StoryPlot {
  let name = "stuck"

  static let tools = NounGroup(
    """
    ladder, long stick, rope, broom, net, rake, hook, chair, umbrella, fishing rod, box, pole,
    stool,
    wheelbarrow, branch, barrel, shovel
    """)
  static let spots = NounGroup(
    places: """
      in tall tree, on roof, on branch, in chimney, on wall, in hedge, on tower, in gutter,
      on haystack,
      on balcony, in thorn bush, on lamp post
      """)

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.toys, into: .x)
    story.take(Self.spots, into: .p)
    story.take(Self.tools, into: .y)
    story.take(Self.tools, into: .z, not: [.y])
    story.take(Self.tools, into: .u, not: [.y, .z])
    story.offer(.object, [.y, .z, .u])
    story.introduce()
    story.tell(Self.played)
    story.tell(Self.stuck)
    story.paragraph()
    story.tell(Self.firstTry)
    story.tell(Self.failed)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.helper)
    story.tell(Self.secondTry)
    story.tell(Self.worked)
    story.paragraph()
    story.tell(Self.thanks)
    story.tell(Self.recall)
    story.maybe(0.5, Common.evening)
  }

  static let played = Beat([
    "One <nice> <time>, {A} played with {A.his} {X.full}.",
    "On <weekday> {A} got {a} {X.full} and <walked> <far> to try it out.",
    "<weather>, so {A} took {A.his} {X.full} outside and <smile>.",
  ])
  static let stuck = Beat([
    "But <soon> there was <bang>, and the {X} was stuck {P.at}.",
    "{A.he} threw it too high, and the {X} landed {P.at}.",
    """
    Then {a} <size> <animal> bumped into {A.him}, and the {X} flew [up, up, up|away <like>|high \
    into the air]. It got stuck {P.at}.
    """,
    "A strong wind took the {X}, and it came down {P.at}.",
  ])
  static let firstTry = Beat([
    "\"<oops>!\" {A} <cried>. {A.he} <thought> and fetched {a} {Y}.",
    "{A} <frown>. Then {A.he} <walked> home and came back with {a} {Y}.",
    "\"I know what to do,\" {A} <said>. {A.he} took {a} {Y} and tried to reach the {X}.",
  ])
  static let failed = Beat([
    "But the {Y} was too [short|weak|heavy|old|wobbly], and the {X} did not move.",
    "The {Y} broke with <bang>, and {A} <frown>.",
    "{A.he} tried it <carefully> and then with all {A.his} strength. The {Y} was no help.",
    """
    With the {Y} {A.he} only hit {a} <color> [pot|window box|nest of leaves], and that made {a} \
    <animal> <angry>.
    """,
  ])
  static let helper = Beat([
    "<soon> {B} came along with {a} {Z}.",
    "{B} heard <sound> and came <far>. \"Let us try my {Z},\" {B.he} <said>.",
    "{B} <thought>. \"What we need is {a} {Z},\" {B.he} <whispered>.",
  ])
  static let secondTry = Beat([
    "{B} used the {Z} <carefully>, while {A} held {B.his?pronoun} <clothes>.",
    "Together they lifted the {Z}. {A} counted, \"One, two, three!\"",
    "{A} took one end of the {Z} and {B} the other. It was <hard> work.",
  ])
  static let worked = Beat([
    "<soon> the {X} [came loose|fell down|slid into the grass|was free].",
    "With <bang> the {X} came down, right into the arms of {A}.",
    "It wobbled <like>, and then the {X} dropped into the [grass|sand|bushes|<color> basket].",
  ])
  static let thanks = Beat([
    "\"<wow>! You are <good>, {B}!\" {A} <cried>.",
    "{A} was <happy> and <smile>. \"Thank you for your help,\" {A.he?pronoun} <said>.",
    "{A} hugged the {X} and then {B}, and they began to <play>.",
  ])
  static let recall = Beat([
    "The {Y} had failed, but the job had been done by the {Z?object}.",
    "\"Next time I will take the {Z?object} at once,\" {A} <said>.",
    """
    {A} learned that [if one way fails, another may work|it is no shame to need help|giving up \
    is no way to win]. And {A.he} put {a} {Z} next to the door.
    """,
  ])
}
