/// Food is gathered, shared and eaten, and the numbers come out right.
struct SharedFoodPlot: StoryPlot {
  let name = "shared food"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.fruits, into: .x)
    story.take(Lexicon.outdoors, into: .p)
    let all = story.pick(5...12)
    let given = story.pick(1...3)
    let eaten = story.pick(1...2)
    story[.n] = .number(all)
    story[.m] = .number(given)
    story[.k] = .number(all - given)
    story[.j] = .number(eaten)
    story.introduce()
    story.tell(Self.gathered)
    story.maybe(0.5, Self.proud)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.hungry)
    story.tell(Self.gave)
    story.tell(Self.left)
    story.paragraph()
    story.tell(Self.ate)
    story[.w] = .number(all - given - eaten)
    story.tell(Self.rest)
    story.tell(Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let gathered = Beat([
    "One <nice> <time>, {A.he} <walked> {P.to} and found {N X}.",
    "On <weekday>, {A} came home from {P.the} with {N X} in {a} <color> basket.",
    "One <time>, [Grandma|Grandpa|a kind farmer|the baker] gave {A.him} {N X}.",
    "One <nice> <time>, {A} counted {A.his} {X.many}. There were {N} of them.",
  ])
  static let proud = Beat([
    "\"<wow>! {N X}!\" {A.he} <cried>.",
    "The {X.many} looked [sweet|tasty|wonderful|fresh] and smelled [good|of summer|of honey].",
    "{A.he} was <very> <happy>.",
  ])
  static let hungry = Beat([
    "\"I am so hungry,\" {B} <said>. \"May I have some {X.many}?\"",
    "{B} looked at the {X.many}. {B.he} had not eaten since [breakfast|lunch|the day before].",
    "{B} was <sad>, because {B.he} had nothing to eat.",
  ])
  static let gave = Beat([
    "{A} thought for a moment. Then {A.he} gave {M X} to {B}.",
    "\"Here, take {M X},\" {A} <said>, and {B} thanked {A.him?pronoun}.",
    "So {A} shared. {B} got {M X}.",
  ])
  static let left = Beat([
    "Now {A} had {K?count} left.",
    "That left {A} with {K?count}.",
    "After that there were {K?count} left in the basket.",
  ])
  static let ate = Beat([
    "They sat down {P.at}. {A} ate {J} of {A.his?pronoun} own, and {B} ate all that {B.he?pronoun} had.",
    "{A} ate {J} right away, and {A.he?pronoun} licked {A.his} lips.",
    "On the way home {A} grew hungry too and ate {J}.",
  ])
  static let rest = Beat([
    "When {A} counted again, {A.he} still had {W?count} for the next day.",
    "So in the end {A} had {W?count} for [{A.his} mother|later|the winter|a rainy day].",
  ])
  static let moral = Beat([
    "[Shared|Sharing] food tastes [better|best].",
    "\"Sharing is fun,\" {A} <said>.",
    "And {B} never forgot how kind {A} had been.",
  ])
}
