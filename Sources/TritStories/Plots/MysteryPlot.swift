/// Something was eaten; a clue in the story tells who did it.
struct MysteryPlot: StoryPlot {
  let name = "mystery"

  /// What was on the culprit, and in the plural's place what it left behind.
  static let clues = ["red", "blue", "green", "yellow", "white", "black", "purple", "pink"]
    .map { Entity(word: $0, plural: "a \($0) thread") }

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b, .c, .d])
    story.take(Lexicon.dishes, into: .x)
    story.take(Lexicon.hidingPlaces, into: .p)
    let table = WeightTable.uniform(Self.clues.count)
    story.draw(Self.clues, table, into: .f)
    story.draw(Self.clues, table, into: .g, not: [.f])
    story.draw(Self.clues, table, into: .h, not: [.f, .g])
    let culprit = story.choose(.uniform(3))
    story[.w] = story[[Slot.f, .g, .h][culprit]]
    let slot = [Slot.b, .c, .d][culprit]
    story.offer(.who, [.b, .c, .d])
    story.introduce()
    story.tell(Self.baked)
    story.paragraph()
    story.tell(Self.guests)
    story.tell(Self.gone)
    story.tell(Self.denied)
    story.paragraph()
    story.tell(Self.clue)
    story.tell(Self.thinking)
    story[.t] = story[slot]
    story.tell(Self.solved)
    story.tell(Self.confessed)
    story.paragraph()
    story.tell(Self.forgiven)
    story.maybe(0.5, Common.evening)
  }

  static let baked = Beat([
    "One <nice> <time>, {A} made {X.full} for {A.his} friends and put it {P.at} to cool.",
    "On <weekday>, {A} got {X.full} from {a} <trait> neighbor and kept it {P.at}.",
    "<weather>. {A} had made {X.full} all by {A.himself}, and it stood {P.at}.",
  ])
  static let guests = Beat([
    """
    Three friends came to visit: {B} in {a} {F} <clothes>, {C} in {a} {G} <clothes>, and {D} in \
    {a} {H} <clothes>.
    """,
    """
    {B} wore {a} {F} <clothes> that day. {C} had {a} {G} <clothes>, and {D} came with {a} {H} \
    <clothes>.
    """,
    "In the house were {B}, dressed in {F}, {C}, dressed in {G}, and {D}, dressed in {H}.",
  ])
  static let gone = Beat([
    "They wanted to <play>. But when {A} looked {P.at}, the {X} was gone!",
    "<soon> {A} <cried>, \"Who has eaten my {X}? It is gone!\"",
    "Then there was <sound>. {A} looked {P.at}. Only a few crumbs of the {X} were left.",
  ])
  static let denied = Beat([
    "\"It was not me,\" {B} <said>. \"Nor me,\" {C} <said>. {D} <frown> and said nothing.",
    "Everybody <frown>. \"Not I,\" they said, one after the other.",
    "\"Maybe {a} <animal> took it,\" {C} <whispered>. {B} and {D} <frown>.",
  ])
  static let clue = Beat([
    "{A} <looked> {P.at} and <thought>. There, beside the plate, was {W.many}.",
    "But {A} was <trait>. {A.he} got down on {A.his} knees and saw {W.many} on the floor.",
    "Then {A} found {W.many} between the crumbs and <smile>.",
  ])
  static let thinking = Beat([
    "\"Now I know,\" {A.he} <whispered>.",
    "{A.he} looked at their clothes, one by one.",
    "\"This thread tells me everything,\" {A.he} <said>, and {A.he} <thought>.",
  ])
  static let solved = Beat([
    "\"You were here,\" {A} <said>, and {A.he?pronoun} pointed at {T?who}.",
    "\"The one who ate it,\" {A} <said>, \"~was {T?who}.\"",
    "It could only have been {T?who}.",
  ])
  static let confessed = Beat([
    "{T} <frown>. \"I am sorry,\" {T.he?pronoun} <said>. \"I was so hungry.\"",
    "\"Yes, it was me,\" {T} <whispered>. \"It smelled so <good>.\"",
    "{T} looked at the others and <frown>. \"I only wanted to taste it,\" {T.he?pronoun} <said>.",
  ])
  static let forgiven = Beat([
    "\"Next time just ask,\" {A} <said>. Then all four made a new {X} together, and it was <good>.",
    """
    {A} was not <angry> for long. "It takes courage to tell the truth," {A.he} <said>, and \
    {A.he} <smile>.
    """,
    "{T} brought {A} <dinner> and {a} <color> flower the next <time>, and they were friends again.",
    "They all <smile>, and from then on {T} always asked first.",
  ])
}
