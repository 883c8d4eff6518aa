/// A small creature is helped, and later returns the kindness.
struct RescuePlot: StoryPlot {
  let name = "rescue"

  static let traps = NounGroup(
    places: """
      in net, in deep hole, under heavy stone, in thorn bush, in mud, in bucket,
      behind broken fence,
      in old well, under fallen branch, in spider web, in drain
      """)

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b], animals: 0.3)
    story.take(Lexicon.creatures, into: .x)
    story.take(Lexicon.creatures, into: .y, not: [.x])
    story.take(Lexicon.creatures, into: .z, not: [.x, .y])
    story.take(Self.traps, into: .p)
    story.take(Lexicon.outdoors, into: .q)
    story.take(Lexicon.belongings, into: .u)
    story.offer(.object, [.x, .y, .z])
    story.introduce()
    story.tell(Self.walk)
    story.tell(Self.heard)
    story.paragraph()
    story.tell(Self.trapped)
    story.tell(Self.doubt)
    story.tell(Self.freed)
    story.tell(Self.parting)
    story.paragraph()
    story.tell(Self.later)
    story.tell(Self.lost)
    story.tell(Self.returned)
    story.paragraph()
    story.tell(Self.told)
    story.tell(Self.moral)
    story.maybe(0.5, Common.evening)
  }

  static let walk = Beat([
    "One <nice> <time>, {A.he} <walked> {Q.to} with {A.his} friend {B}, {a} <trait> {B.kind}.",
    "On <weekday>, {A} and {B}, {a} <trait> {B.kind}, wanted to <play> {Q.at}.",
    """
    <weather>. {A} and {A.his} friend {B}, {a} <size> {B.kind} in {a} <color> <clothes>, \
    <walked> <far>.
    """,
  ])
  static let heard = Beat([
    "<soon> they heard <sound>. \"What was that?\" {B} asked.",
    "Then {A} stopped. \"Listen! I can hear <sound>,\" {A.he} <said>.",
    "\"<oops>! Look over there!\" {B} <cried>.",
  ])
  static let trapped = Beat([
    "{a} {X.full} was stuck {P.at} and could not get out.",
    "There, {P.at}, sat {a} {X.full}. It was <very> <scared>.",
    "It was {a} {X.full}, trapped {P.at}. It looked at them with [big|sad|round|wet] eyes.",
  ])
  static let doubt = Beat([
    "\"It is only {a} {X},\" {B} <said>. \"Let us go on.\" But {A} <thought> and stayed.",
    "\"Poor {X},\" {A} <whispered>. \"We must help it.\"",
    "{B} was <scared>. \"Does it bite?\" {B.he?pronoun} asked. {A} <thought> and came closer.",
  ])
  static let freed = Beat([
    "With {a} <size> stick and a lot of time, {A} got it out <carefully>.",
    "{A} reached down <carefully>, and {B} held {A.his} <clothes>. <soon> the {X?object} was free.",
    "They pulled and pushed. It was <hard> work, but <soon> the {X?object} was free.",
  ])
  static let parting = Beat([
    "They gave it water and some <dinner>. Then it went away <far>.",
    "The {X?object} looked back once, as if to say thank you.",
    """
    "One day I will help you too," said the {X?object} in a tiny voice. {B} <smile>, because \
    that sounded so funny.
    """,
  ])
  static let later = Beat([
    "Many days later, in <season>, {A} lost the way home {Q.at}.",
    "One <nice> <time> a storm came. {A} was alone {Q.at} and could not see the path.",
    """
    <soon> it was <season>. {A} dropped {A.his} {U.full} in the grass {Q.at} and could not find \
    it.
    """,
  ])
  static let lost = Beat([
    "{A.he} was <scared>, and {A.he?pronoun} <frown>.",
    "\"<oops>! What shall I do now?\" {A.he} <cried>.",
    """
    {A.he} <looked> [left|behind a rock|under the leaves] and [right|in the reeds|up the hill] \
    and <frown>.
    """,
  ])
  static let returned = Beat([
    "Then there was <sound>. It was the same {X?object}! It showed {A.him} where to look.",
    """
    Suddenly something [touched|pulled|tickled] {A.his} foot. It was the {X?object} again. \
    "Follow me," it seemed to say.
    """,
    "Who came <far>? It was the {X?object} that {A} had saved. It knew what to do and led the way.",
  ])
  static let told = Beat([
    "At home {A} told {B?who} everything. \"So it did remember us,\" {B.he?pronoun} <said>.",
    """
    {A} got home safe, and {A.he?pronoun} was <happy>. "Thank you, little {X?object}," {A.he} \
    <said>.
    """,
    "\"I will never say that it is only {a} {X} again,\" {B} <whispered>.",
  ])
  static let moral = Beat([
    "No friend is too small to help.", "A kind deed [always|often|sooner or later] comes back.",
    "Even {a} {X} can do great things.",
    """
    {A} and {B} learned that [kindness is never wasted|small friends can be great friends|it is \
    good to stop and help].
    """,
  ])
}
