/// A promise at the start, a temptation in the middle, the promise kept at the end.
struct PromisePlot: StoryPlot {
  let name = "promise"

  /// What is promised, and the same in the past tense.
  static let chores = [
    ("water the roses", "watered the roses"), ("feed the hens", "fed the hens"),
    ("sweep the floor", "swept the floor"), ("fetch the milk", "fetched the milk"),
    ("wash the dishes", "washed the dishes"), ("clean the windows", "cleaned the windows"),
    ("bring the letter to the post office", "brought the letter to the post office"),
    ("pick the beans", "picked the beans"), ("fold the laundry", "folded the laundry"),
    ("stack the firewood", "stacked the firewood"), ("set the table", "set the table for everyone"),
    ("rake the leaves", "raked the leaves"), ("buy some bread", "bought some bread"),
    ("lock the gate", "locked the gate"), ("mend the fence", "mended the fence"),
  ].map { Entity(word: $0.0, plural: $0.1) }

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.castElder(.c)
    story.take(Lexicon.outdoors, into: .p)
    let table = WeightTable.uniform(Self.chores.count)
    let promised = story.choose(table)
    let other = story.choose(table, excluding: [promised])
    story[.f] = Self.chores[promised]
    story[.g] = Self.chores[other]
    // Never told: the third answer of the question.
    story[.h] = Self.chores[(0..<3).first { $0 != promised && $0 != other } ?? 0]
    story.offer(.object, [.f, .g, .h])
    story.introduce()
    story.tell(Self.asked)
    story.tell(Self.promise)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.tempted)
    story.tell(Self.doubt)
    story.paragraph()
    story.maybe(0.5, Common.aside)
    story.tell(Self.remembered)
    story.tell(Self.kept)
    story.maybe(0.5, Self.then)
    story.paragraph()
    story.tell(Self.praise)
    story.tell(Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let asked = Beat([
    """
    One <nice> <time>, {C} had to [leave|go to town|rest|work all day]. "Please {F} before \
    [sunset|dinner|I come back|it rains]," {C} <said>.
    """,
    "On <weekday>, {C} <said>, \"Today I will {G}. Can you {F}?\"",
    "\"Will you {F} for me?\" {C} asked one <nice> <time>. \"I must {G}.\"",
    "<weather>. {C} was [tired|busy|ill|in a hurry]. \"Somebody has to {F},\" {C} <whispered>.",
  ])
  static let promise = Beat([
    "\"I promise to {F?object},\" {A} <said>, and {A.he} <smile>.",
    "\"You can trust me. I promise,\" {A} <whispered>.",
    """
    {A} [gave {A.his} word|promised it|put a hand on {A.his} heart and promised]. "I will not \
    forget it," {A.he} <said>.
    """,
  ])
  static let tempted = Beat([
    "<soon> {B} came by. \"Come {P.to} with me,\" {B.he} <said>. \"We can <play> and <play>.\"",
    "{B} knocked at the door. \"<weather>,\" {B.he} <said>. \"Let us <play> {P.at}!\"",
    """
    "Today there is a [fair|party|parade|circus|concert] {P.at}," {B} <said>. "We will miss {a} \
    <good> [show|song|cake] if we wait."
    """,
  ])
  static let doubt = Beat([
    "{A} <thought>. It sounded <good>.",
    "{A} wanted to go <very> much, and {A.he} <frown>.",
    "\"That sounds <good>,\" {A} <whispered>, and {A.he} <thought>.",
    "{A.his} feet almost ran away by themselves.",
  ])
  static let remembered = Beat([
    "Then {A} remembered the promise. \"First I have to {F?object},\" {A.he} <said>.",
    "But a promise is a promise. \"I told {C} that I would {F?object},\" {A} <said>.",
    "\"I cannot come yet,\" {A} <said>. \"Before we play, I must {F?object}.\"",
  ])
  static let kept = Beat([
    "It was <hard> work, but <soon> {A} had [finished|done it all|kept {A.his} word].",
    """
    {B} <smile>. "Then I will help you," {B.he} <said>, and together they {F.many?object} \
    <carefully>.
    """,
    "So {A} {F.many?object} <carefully>, and {B} waited on {a} <color> [bench|chair|wall|blanket].",
  ])
  static let then = Beat([
    """
    After that they <walked> {P.to}, and there was [still cake|plenty of time|music|{a} <color> \
    flag] for them.
    """,
    "Then the two friends <walked> <far> to <play>.",
    "<soon> they were {P.at}, and there they could <play> until dinner was ready.",
  ])
  static let praise = Beat([
    """
    When {C} came back, {C.he?pronoun} <smile>. "You {F.many?object}, just as you said," \
    {C.he?pronoun} <said>.
    """,
    """
    "I knew that I could trust you," {C} <said>, and {C.he?pronoun} gave {A} {a} \
    [kiss|hug|<color> <clothes>|piece of cake].
    """,
    "{C} was <very> <happy>. \"Thank you, {A},\" {C.he?pronoun} <whispered>.",
  ])
  static let moral = Beat([
    "{A} felt <happy>, because {A.he} had kept {A.his} promise.",
    "A promise is worth more than [gold|a party|a day of fun].",
    "Since then, when {A} says something, everyone believes it.",
    "\"First the work, then the play,\" {A} <said>.",
  ])
}
