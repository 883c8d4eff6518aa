/// Three things are done one after the other, and their order is recalled.
struct DayPlot: StoryPlot {
  let name = "three things"

  /// An activity, and the same in the past tense.
  static let activities = [
    ("swim in the lake", "swam in the lake"), ("climb the hill", "climbed the hill"),
    ("bake bread", "baked bread"), ("draw a map", "drew a map"), ("fly a kite", "flew a kite"),
    ("build a fort", "built a fort"), ("catch fish", "caught fish"), ("read a book", "read a book"),
    ("sing songs", "sang songs"), ("visit the mill", "visited the mill"),
    ("ride the pony", "rode the pony"), ("pick berries", "picked berries"),
    ("paint a picture", "painted a picture"), ("play ball", "played ball"),
    ("explore the cave", "explored the cave"), ("row the boat", "rowed the boat"),
    ("feed the goats", "fed the goats"), ("make a fire", "made a fire"),
    ("look for gold", "looked for gold"), ("watch the clouds", "watched the clouds"),
  ].map { Entity(word: $0.0, plural: $0.1) }

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    let table = WeightTable.falling(Self.activities.count)
    story.draw(Self.activities, table, into: .x)
    story.draw(Self.activities, table, into: .y, not: [.x])
    story.draw(Self.activities, table, into: .z, not: [.x, .y])
    story.offer(.order, [.x, .y, .z])
    story.introduce()
    story.introduceFriend()
    story.tell(Self.plan)
    story.paragraph()
    story.tell(Self.first)
    story.maybe(0.6, Common.aside)
    story.tell(Self.second)
    story.tell(Self.event)
    story.tell(Self.third)
    story.paragraph()
    story.tell(Self.recall)
    story.tell(Self.moral)
    story.maybe(0.6, Common.evening)
  }

  static let plan = Beat([
    "One <nice> <time> they did not know what to do. \"Let us make a plan,\" {A} <said>.",
    """
    <weather>, and they had the whole <weekday> for themselves. "We will not waste it," {B} \
    <said>.
    """,
    "On {a} <nice> <weekday> in <season> {A} asked, \"What shall we do today?\" {B} <thought>.",
  ])
  static let first = Beat([
    "First they {X.many}. {A} <smile>, and {B} <cried>, \"<wow>!\"",
    "To begin with, they {X.many}. \"That was <good>,\" {B} <said>.",
    "The first idea came from {B}, and so they {X.many}. It was <hard>, but they <smile>.",
  ])
  static let second = Beat([
    """
    After that they {Y.many}, until [{A} was tired|the bell rang|{a} <animal> chased them \
    away|it began to rain].
    """,
    "Then it was time to {Y}. {B} <said>, \"I have never felt so <happy>.\"",
    "\"What now?\" {A} asked. \"Now we {Y},\" {B} <said>, and they <walked> <far>.",
  ])
  static let event = Beat([
    "For lunch they had <dinner> and <dinner>.",
    "<soon> {B} lost {a} <color> <clothes>, and they had to look for it <far>.",
    "<soon> they heard <sound>. It was only {a} <color> <animal>.",
    "{A} found {a} <color> stone and gave it to {B}.",
  ])
  static let third = Beat([
    "Last of all they {Z.many}, and <soon> the sun went down.",
    "In the end they {Z.many}. It was the [best|funniest|longest|quietest] part of the day.",
    "\"One more thing,\" {B} <said>, and so they {Z.many} <carefully>.",
  ])
  static let recall = Beat([
    """
    At home somebody asked what they had done. "First we {X.many?order}," {A} <said>, "~and at \
    the end we {Z.many?order}."
    """,
    """
    On the way back {A} thought of it all again. Before they {Y.many}, they had done something \
    else: they {X.many?order}.
    """,
    """
    {B} wrote it down in {a} <color> book: "At the very start we {X.many?order}. Then we \
    {Y.many?order}."
    """,
  ])
  static let moral = Beat([
    "A day with a friend is never too long.",
    "\"Tomorrow we will do it all again,\" {A} <said>, and {B} <smile>.",
    "They were tired, but <happy>.",
    "{B} <whispered>, \"I wish that every day was {a} <weekday> in <season>.\"",
  ])
}
