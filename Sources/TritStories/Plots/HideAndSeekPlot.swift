/// A game of hide and seek: who hid where, who was found first.
struct HideAndSeekPlot: StoryPlot {
  let name = "hide and seek"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b, .c])
    let inside = story.chance(0.4)
    let places = inside ? Lexicon.hidingPlaces : Lexicon.outdoorHidingPlaces
    story.take(places, into: .p)
    story.take(places, into: .q, not: [.p])
    story.take(places, into: .r, not: [.p, .q])
    story.offer(.place, [.p, .q, .r])
    story[.n] = .number(story.pick(10...20))
    story.introduce()
    story.introduceFriend()
    story.tell(Self.third)
    story.paragraph()
    story.tell(Self.game)
    story.tell(Self.count)
    story.tell(Self.hidB)
    story.tell(Self.hidC)
    story.paragraph()
    story.tell(Self.looking)
    let swapped = story.chance(0.5)
    story[.d] = story[swapped ? .c : .b]
    story[.t] = story[swapped ? .b : .c]
    story[.s] = story[swapped ? .q : .p]
    story[.u] = story[swapped ? .p : .q]
    story.tell(Self.foundFirst)
    story.tell(Self.foundSecond)
    story.paragraph()
    story.tell(Self.winner)
    story.tell(Self.end)
    story.maybe(0.5, Common.evening)
  }

  static let third = Beat([
    "On <weekday> {C} came too, {a} <trait> {C.kind} in {a} <color> <clothes>.",
    "They also knew {C}, {a} <size> {C.kind} who loved to <play>.",
    "{C}, {a} <trait> {C.kind}, was new in town and wanted to play with them.",
  ])
  static let game = Beat([
    "One <nice> <time> they played hide and seek. {A} had to look for the others.",
    "\"Let us play hide and seek,\" {A} <said> one <nice> <time>. \"I will look for you.\"",
    """
    <weather>, and they wanted to <play>. In the end they chose hide and seek, and {A} was the \
    seeker.
    """,
  ])
  static let count = Beat([
    "{A} closed {A.his} eyes and counted to {N}.",
    "\"I will count to {N},\" {A} <said>, and {A.he?pronoun} put both hands over {A.his} eyes.",
  ])
  static let hidB = Beat([
    "{B} <walked> <quickly> and hid {P.at}.", "{B} <thought> and crawled into a spot {P.at}.",
    """
    {B} made {B.himself} small {P.at} and [held {B.his} breath|tried not to laugh|covered \
    {B.his} mouth].
    """,
  ])
  static let hidC = Beat([
    "{C} hid {Q.at}, as quiet as {a} <animal>.",
    "{C} <thought>. Then {C.he} found a good place {Q.at}.",
    "{C} wanted to hide {R.at}, but there sat {a} <size> <animal>. So {C.he?pronoun} hid {Q.at}.",
  ])
  static let looking = Beat([
    """
    "Here I come!" {A} <cried>. {A.he} <looked> {R.at}, but there was only {a} <color> \
    <clothes>.
    """,
    "\"{N}! I am coming!\" {A} <cried>, and {A.he} <walked> <far>.",
    "{A} <looked> everywhere <carefully> and heard <sound>.",
  ])
  static let foundFirst = Beat([
    "<soon> {A.he} <looked> in the right spot. There was {D}, and {D.he?pronoun} <smile>.",
    "Then {A.he} heard <sound> and found {D} first. \"<oops>, you got me!\" {D} <said>.",
    "{D} had to sneeze, and so {D.he?pronoun} was found at once.",
  ])
  static let foundSecond = Beat([
    "Finding {T} was <hard>. At last {A} <looked> {U.at?place}, and there {T.he?pronoun} was.",
    "\"Where is {T}?\" asked {A}. {A.he} <thought> and <looked> {U.at?place}. \"Found you!\"",
    "It took a long time to find {T}, who was still {U.at?place} and almost asleep.",
  ])
  static let winner = Beat([
    "So the winner of the game was {T?who}.", "\"Nobody hides as well as {T?who},\" {A} <said>.",
    "The first to be found had been {D?who}, and so {D.he?pronoun} was the next seeker.",
  ])
  static let end = Beat([
    """
    They played until [it was dark|{C} had to go home|they heard <sound>|dinner was on the \
    table].
    """,
    "Everyone was <happy>, and they ate <dinner> together.",
    "\"Tomorrow we will play again,\" {C} <said>, and they all <smile>.",
    "{a} <color> <animal> had watched them all the time.",
  ])
}
