/// Something is built from three things, one after the other.
struct BuildPlot: StoryPlot {
  let name = "build"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.buildings, into: .u)
    story.take(Lexicon.materials, into: .x)
    story.take(Lexicon.materials, into: .y, not: [.x])
    story.take(Lexicon.materials, into: .z, not: [.x, .y])
    story.take(Lexicon.outdoors, into: .p)
    story.offer(.order, [.x, .y, .z])
    story.introduce()
    story.tell(Self.wish)
    story.introduceFriend()
    story.tell(Common.agreed)
    story.paragraph()
    story.tell(Self.first)
    story.tell(Self.second)
    story.tell(Self.third)
    story.paragraph()
    let falls = story.chance(0.5)
    if falls {
      story.tell(Self.fall)
      story.tell(Self.again)
    } else {
      story.tell(Self.work)
      story.maybe(0.5, Common.aside)
    }
    story.paragraph()
    story.tell(Self.done)
    story.tell(Self.recall)
    story.maybe(0.6, Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let wish = Beat([
    "One <nice> <time>, {A} wanted to build {a} {U.full} {P.at}.",
    "\"I will build {a} {U.full} {P.at},\" {A} <said> on {a} <nice> <weekday>.",
    "<weather>. It was {a} <good> day to build {a} {U.full} {P.at}, {A} thought.",
    "For a long time {A} had dreamed of {a} {U.full} {P.at}, where {A.he} could <play>.",
  ])
  static let first = Beat([
    """
    First they [got|found|collected|carried home] some {X} from [an old shed|{a} <trait> \
    neighbor|the market|the attic].
    """,
    """
    They began with the {X}, which [{A.his} family did not need|they found behind {a} <den>|{B} \
    brought in {a} <color> cart].
    """,
    "\"First of all we need {X},\" {A} <said>. {B} <walked> <far> to get some.",
  ])
  static let second = Beat([
    "Then they [brought|found|took|borrowed] some {Y}.",
    "Next came the {Y}, which {a} <trait> <animal> helped to carry.",
    "After that, {B} <walked> <far> and came back with {Y}.",
    "When that was done, {A} <cried>, \"Now the {Y}!\"",
  ])
  static let third = Beat([
    """
    Last of all came the {Z}, [in {a} <color> bag|fresh from the market|a gift from {a} <trait> \
    neighbor].
    """,
    "\"Now we only need the {Z},\" {B} <said>, and {B.he?pronoun} <walked> <far> to find some.",
    "At the very end they added the {Z} <carefully>.",
  ])
  static let fall = Beat([
    "But <soon> a strong wind came, and with <bang> the {U} fell down.",
    "Then {a} <size> <animal> ran <far> and right into the {U}. Down it came!",
    "They had worked too fast. With <bang> the {U} fell to pieces.",
  ])
  static let again = Beat([
    """
    {B} <frown>. "Do not be <sad>," {A} <said>. "We will try again." They did, and this time \
    they worked <carefully>.
    """,
    """
    {A} was <angry> and <frown>. But {B} <thought> and <said>, "[Slowly|Together|Step by step] \
    we can do it." So they started again.
    """,
    """
    "<oops>!" {A} <cried>. Then {A.he} <thought>. "We know how to do it now," {A.he} <said>, and \
    they built it again.
    """,
  ])
  static let work = Beat([
    """
    It was <hard> work. {A} [measured|cut|lifted|painted], and {B} [held everything still|sang \
    songs|told stories|counted the pieces].
    """,
    "They worked all <time>. \"This is <hard>,\" {B} <said>, but {B.he?pronoun} did not stop.",
    "<soon> their hands were [dirty|sore|<color>|cold], but they were <happy>.",
  ])
  static let done = Beat([
    """
    <soon> the {U} was ready. It was [tall|strong|<color>|bigger than {a} <animal>|the best {U} \
    in town] and looked <good>.
    """,
    "\"<wow>! Our {U}!\" {B} <cried>, and they <smile>.",
    "When the {U} was finished, they put {a} <color> flag on it and <smile>.",
    "On <weekday> everyone came to see the {U}. \"It is <good>,\" said {a} <trait> neighbor.",
  ])
  static let recall = Beat([
    """
    "Do you remember how we began?" asked {A}. "Yes," {B} <said>, "~the first thing we had was \
    the {X?order}."
    """,
    """
    {A} looked at it and <smile>. It had all started with the {X?order}, and the last thing had \
    been the {Z?order}.
    """,
    "Somebody asked what had come after the {X}. \"Then we used the {Y?order},\" {A} <said>.",
  ])
  static let moral = Beat([
    "Good things [take time|are built step by step|are made by many hands].",
    "And every <weekday> {A} and {B} met there to <play>.",
    """
    {A} and {B} learned that [two can do more than one|it pays to try again|nothing is too \
    <hard> for friends].
    """,
  ])
}
