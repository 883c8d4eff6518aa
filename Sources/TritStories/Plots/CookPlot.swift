/// Somebody is ill or sad, and friends cook something, step by step.
struct CookPlot: StoryPlot {
  let name = "cook"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.castElder(.c)
    story.take(Lexicon.dishes, into: .u)
    story.take(Lexicon.ingredients, into: .x)
    story.take(Lexicon.ingredients, into: .y, not: [.x])
    story.take(Lexicon.ingredients, into: .z, not: [.x, .y])
    story.offer(.order, [.x, .y, .z])
    story[.n] = .number(story.pick(2...6))
    story[.t] = .noun("spoon")
    story.introduce()
    story.tell(Self.reason)
    story.introduceFriend()
    story.tell(Common.agreed)
    story.paragraph()
    story.tell(Self.first)
    story.tell(Self.second)
    story.tell(Self.mishap)
    story.tell(Self.third)
    story.paragraph()
    story.tell(Self.wait)
    story.tell(Self.serve)
    story.tell(Self.recall)
    story.maybe(0.6, Self.moral)
    story.maybe(0.3, Common.evening)
  }

  static let reason = Beat([
    """
    One <nice> <time>, {C} was [ill|tired|<sad>|cold]. "I will cook {U.full} for {C}," {A} \
    <said>.
    """,
    "On <weekday>, {C} had a birthday. {A} wanted to make {U.full} as a surprise.",
    "<weather>. {C} had worked <very> hard. \"{C} needs some {U.full},\" {A} <said>.",
  ])
  static let first = Beat([
    "First they put the {X} into {a} <color> [bowl|pot|pan].",
    "They took {a} <color> [bowl|pot|pan], and in went the {X} first.",
    "\"We begin with {X},\" {A} <said>, and {B} [opened|found|brought] the <color> [bag|jar|box].",
  ])
  static let second = Beat([
    "Then {B} added {N T} of {Y} <carefully>.", "Next came {N T} of {Y}, no more and no less.",
    "\"Now the {Y}, {N T},\" {A} <said>, and {B} counted <carefully>.",
  ])
  static let mishap = Beat([
    """
    With <bang> {a} <size> cup fell on the floor, and {B} <frown>. "That can happen," {A} \
    <said>.
    """,
    "{B} got some on {B.his?pronoun} <clothes>, and both laughed.",
    "{a} <size> <animal> looked through the window and sniffed.",
    "They stirred and stirred, and {A} sang about {a} <color> <animal>.",
  ])
  static let third = Beat([
    "Last of all they stirred in the {Z}.", "At the very end {A} added the {Z} <carefully>.",
    "\"Something is missing,\" {B} <said>. It was the {Z}, and so that went in last.",
  ])
  static let wait = Beat([
    "Then they had to wait. <soon> the whole house smelled of {U}.",
    "It took a long time. They began to <play>, and <soon> the {U} was ready.",
    "The pot hummed and bubbled <like>. <soon> everything was done.",
  ])
  static let serve = Beat([
    "{C} took a bite. {C.he} <smile>. \"This is <good>,\" {C.he?pronoun} <said>.",
    "\"<wow>! Is that for me?\" {C} asked, and {C.he?pronoun} ate three plates of it.",
    "{C} tasted it <carefully> and felt <happy> at once.",
  ])
  static let recall = Beat([
    """
    "How did you make it?" {C} asked. "We began with the {X?order}," {A} <said>, "~and ended \
    with the {Z?order}."
    """,
    "{C} wanted to know what had gone in last. \"That was the {Z?order},\" {B} <said>.",
    "{A} wrote it down: before the {Y} comes the {X?order}, and {N?count} is the number of spoons.",
  ])
  static let moral = Beat([
    "Food made with love tastes best.", "{A} and {B} washed the dishes without being asked.",
    "\"You are <trait> cooks,\" {C} <said>.",
    "From then on they cooked for {C} every <weekday>.",
  ])
}
