/// Seeds are planted and tended, some grow, and the numbers come out right.
struct PlantPlot: StoryPlot {
  let name = "plant"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.plants, into: .x)
    story.take(Lexicon.creatures, into: .y)
    let seeds = story.pick(6...12)
    let eaten = story.pick(1...3)
    let gift = story.pick(1...2)
    story[.u] = .noun("seed")
    story[.n] = .number(seeds)
    story[.m] = .number(eaten)
    story[.k] = .number(seeds - eaten)
    story[.j] = .number(gift)
    story[.w] = .number(seeds - eaten - gift)
    story.introduce()
    story.tell(Self.seeds)
    story.tell(Self.dug)
    story.paragraph()
    story.tell(Self.waited)
    story.tell(Self.doubted)
    story.tell(Self.robbed)
    story.tell(Self.left)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.grew)
    story.tell(Self.gift)
    story.tell(Self.rest)
    story.tell(Self.moral)
    story.maybe(0.5, Common.evening)
  }

  static let seeds = Beat([
    "In spring {a} <trait> [neighbor|uncle|gardener|aunt] gave {A.him} {N} {X} seeds.",
    """
    One <nice> <time>, {A} found a bag with {N} {X} seeds [in the shed|on the road|under {a} \
    <color> pot|at the market].
    """,
    "On <weekday> {A} bought {N} {X} seeds from {a} <trait> [farmer|woman|man|gardener].",
  ])
  static let dug = Beat([
    "{A.he} dug {N?count} small holes and put one seed into each.",
    "{A.he} put all {N?count} of them into the ground <carefully> and gave them water.",
    "With {a} <color> spoon {A.he} dug {N?count} holes in a row, one for each seed.",
  ])
  static let waited = Beat([
    "Every <time> {A} gave them water and sang about {a} <color> <animal>.",
    "{A} waited one day, two days, three days. Nothing happened, and {A.he} <frown>.",
    "{A} watched the ground from morning to evening, in sun and rain.",
  ])
  static let doubted = Beat([
    "\"Maybe they are asleep,\" {A.he} <whispered>.",
    "\"Good things need time,\" {a} <trait> <animal> seemed to say.",
    "{A.he} dreamed of <dream>, and of {X.many}.",
  ])
  static let robbed = Beat([
    "Then {a} {Y.full} came in the night and ate {M} of the seeds.",
    "But a storm washed away {M} of the seeds.",
    "<soon> {A} saw that {a} <size> <animal> had dug up {M} of the seeds.",
  ])
  static let left = Beat([
    "Only {K?count} were left. \"I must take care of them,\" {A} <said>.",
    "\"<oops>!\" {A} <cried>. {A.he} counted <carefully>. There were still {K?count}.",
    "So {A} had {K?count} left, and {A.he?pronoun} put {a} <color> fence around them.",
  ])
  static let grew = Beat([
    """
    One <nice> <time> in summer, all the seeds had grown into fine {X.many}. "<wow>!" {A} \
    <cried>, and {B} <smile>.
    """,
    """
    Then <color> leaves came out, and <soon> every seed had become {a} <good> {X}. "Come and \
    see!" {A} <cried>, and {B} came at once.
    """,
    "<soon> the {X.many} were as tall as {a} <animal>. {B} <smile> when {B.he} saw them.",
  ])
  static let gift = Beat([
    """
    {A} gave {J} of them to {B}, because {B.he?pronoun} had [no garden|helped with the \
    water|been so <trait>].
    """,
    "\"May I have some?\" {B} asked <softly>. {A} <thought> and gave {B.him?pronoun} {J}.",
    "For {B.his?pronoun} birthday {B} got {J} of them, with {a} <color> ribbon.",
  ])
  static let rest = Beat([
    "That left {W?count} in the garden of {A}.", "{A} kept {W?count} for {A.his} own garden.",
    "In the garden {W?count} stayed, and {A} was <happy>.",
  ])
  static let moral = Beat([
    "Those who wait and work are rewarded.",
    "\"Next spring I will plant more,\" {A} <said>, and {A.he} <smile>.",
    """
    {A} learned that [patience is a kind of magic|everything big was once small|a garden needs \
    love every day].
    """,
    "And each of the {X.many} smelled of <season>.",
  ])
}
