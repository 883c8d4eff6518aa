/// Somebody is afraid, somebody helps, and the fear ends.
struct FearPlot: StoryPlot {
  let name = "fear"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.fears, into: .x)
    story.take(Lexicon.fears, into: .y, not: [.x])
    story.take(Lexicon.fears, into: .z, not: [.x, .y])
    story.take(Lexicon.belongings, into: .u)
    story[.g] = .word("hungry")
    story[.h] = .word("sleepy")
    story.offer(.feeling, [.f, .g, .h])
    story.offer(.object, [.x, .y, .z])
    story.introduce()
    story.tell(Self.fear)
    story.maybe(0.7, Self.shame)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.friendFear)
    story.tell(Self.trouble)
    story.tell(Self.plan)
    story.paragraph()
    story.tell(Self.gift)
    story.tell(Self.step)
    story.tell(Self.over)
    story.paragraph()
    story.tell(Self.after)
    story.tell(Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let fear = Beat([
    "But there was one [problem|secret|thing]. {A} was <scared=F> of {X}.",
    "Everyone thought that {A} was brave, but {A.he} was <very> <scared=F> when it came to {X}.",
    "{A} liked [almost everything|<season>|all games], but {X} made {A.him} <scared=F>.",
  ])
  static let shame = Beat([
    "Whenever {A.he} thought of {X}, {A.he} <frown>.",
    """
    {A.he} never told anyone, not even [the moon|{A.his} pillow|the <animal> next door|{A.his} \
    mother].
    """,
    "\"What if I see it again?\" {A.he} thought, and {A.he} <frown>.",
    "{A.his} knees shook <like>.",
  ])
  static let friendFear = Beat([
    "{B} was not afraid of {X} at all, but of {Y}.",
    "Nothing frightened {B}, except {Y}.",
    "{B} knew what fear was, because {Y} had once made {B.him} cry.",
  ])
  static let trouble = Beat([
    "One <nice> <time> {B} saw that {A} <frown>. \"What is the matter?\" {B.he} asked.",
    "On <weekday> they wanted to <play>, but {A} <frown> and would not come.",
    "<soon> {B} asked, \"Why are you so [quiet|pale|still]?\" {A} <frown>.",
  ])
  static let plan = Beat([
    """
    "I am {F?feeling} because of {X?object}," {A} <whispered>. {B} did not laugh. {B.he} \
    <thought>.
    """,
    "\"It is {X?object},\" {A} whispered. \"I am so {F?feeling}!\" {B} took {A.his} hand.",
    """
    At last {A} told {B.him} about {X?object}. {B} <smile> and <said>, "We can be brave \
    together."
    """,
  ])
  static let gift = Beat([
    "{B} gave {A} {a} {U.full}. \"Hold this {U} when you feel <scared>,\" {B.he} <said>.",
    "\"Take my {U.full},\" {B} <said>. \"It always makes me [brave|calm|strong].\"",
    "Together they found {a} {U.full}. \"This {U} will keep you safe,\" {B} <whispered>.",
  ])
  static let step = Beat([
    "{A} held the {U} <carefully>, <thought> and took one step. Then {A.he} took another.",
    "They <walked> <far>, side by side. {A} held the {U} and counted to ten.",
    """
    They began with a song about {a} <color> <animal>. With every line {A} felt a little \
    [braver|calmer|stronger].
    """,
    """
    First {A} closed {A.his} eyes and thought of <dream>. Then {A.he} opened them again, with \
    the {U} in {A.his} hand.
    """,
  ])
  static let over = Beat([
    "Nothing bad happened. {A} <smile>.",
    "\"Is that all?\" {A} asked, and {A.he} <smile>.",
    "<soon> it was over. \"I did it!\" {A} <cried>.",
    """
    It was not half as bad as {A.he} had thought, only [loud|dark|big|strange] and a little \
    funny.
    """,
  ])
  static let after = Beat([
    "Since that <time> {A} has not been <scared> of {X?object} anymore.",
    "From that day on, {A} was no longer {F?feeling}. {A.he} was <happy>.",
    "When {A} thinks of {X?object} today, {A.he} only laughs.",
    "{A} gave the {U} back to {B?who} and was not {F?feeling} anymore.",
  ])
  static let moral = Beat([
    """
    Being brave does not mean having no fear. It means [taking one step more|going on|not \
    running away].
    """,
    "Fear grows small when [friends share it|you look at it|you hold a hand].",
    "And {A} promised to help {B.him} with {Y} on <weekday>.",
    "\"Now I will help you with {Y},\" {A} <said>, and {B} <smile>.",
  ])
}
