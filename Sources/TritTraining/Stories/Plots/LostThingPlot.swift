/// Something dear is lost, looked for in the wrong places, and found with a friend's help.
struct LostThingPlot: StoryPlot {
  let name = "lost thing"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    let inside = story.chance(0.5)
    story.take(story.chance(0.5) ? Lexicon.toys : Lexicon.belongings, into: .x)
    let places = inside ? Lexicon.hidingPlaces : Lexicon.outdoorHidingPlaces
    story.take(places, into: .p)
    story.take(places, into: .q, not: [.p])
    story.take(places, into: .r, not: [.p, .q])
    story.offer(.place, [.p, .q, .r])
    story.introduce()
    story.tell(Self.owned)
    story.maybe(0.6, Self.habit)
    story.paragraph()
    story.tell(Self.lost)
    story.tell(Self.sad)
    story.tell(Self.searched)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.asked)
    story.tell(Self.found)
    story.maybe(0.7, Self.thanks)
    story.paragraph()
    story.tell(Self.after)
    story.maybe(0.6, Self.moral)
    story.maybe(0.5, Common.evening)
  }

  static let owned = Beat([
    "{A.he} had {a} {X.full} that {A.he} loved very much.",
    "More than anything, {A.he} loved {A.his} {X.full}.",
    "For {A.his} birthday {A.he} had been given {a} {X.full}.",
    "{A.his} favorite thing in the world was {a} {X.full}.",
    "{A.he} owned {a} {X.full}, and it was {A.his} treasure.",
  ])
  static let habit = Beat([
    "{A.he} took the {X} everywhere.",
    "Every night the {X} lay beside {A.his} bed.",
    "\"This is the best {X} in the world,\" {A.he} liked to say.",
    "Nobody else was allowed to touch the {X}.",
    "{A.he} cleaned the {X} every <weekday>.",
  ])
  static let lost = Beat([
    "One <nice> <time>, the {X} was gone.",
    "But one <time> {A} could not find the {X} anywhere.",
    "On <weekday>, {A} woke up and saw that the {X} was missing.",
    "Then, one <nice> <time>, something bad happened. The {X} disappeared!",
  ])
  static let sad = Beat([
    "\"<oops>! Where is my {X}?\" {A.he} cried.",
    "{A} felt <sad> and began to cry.",
    "{A.he} was <very> <sad>. \"I want my {X} back,\" {A.he} said.",
    "A tear rolled down {A.his} cheek.",
    "\"I must find it,\" {A} said, and {A.he} wiped {A.his} eyes.",
  ])
  static let searched = Beat([
    "{A.he} <looked> {P.at}, but it was not there. {A.he} <looked> {Q.at}, but [found only dust|there was nothing|it was not there either].",
    "First {A.he} <looked> {P.at}. Then {A.he} <looked> {Q.at}. [No {X}!|There was no {X} at all.]",
    "{A.he} <looked> {P.at} and {Q.at}, but [the {X} was not there|all {A.he} found was an old sock|there was only a sleepy <animal>].",
  ])
  static let asked = Beat([
    "\"Have you seen my {X}?\" asked {A}. \"No,\" {B} <said>, \"but I will help you look.\"",
    "When {B} heard about the {X}, {B.he} <said>, \"Do not worry. We will find it together.\"",
    "{B} saw that {A} was <sad>. \"What is wrong?\" {B.he} asked. \"I lost my {X},\" said {A}.",
    "\"Please help me find my {X},\" said {A}. \"Of course,\" {B} <said>.",
  ])
  static let found = Beat([
    "They looked {R.at}, and there was the {X}!",
    "\"Did you look {R.at}?\" asked {B}. They <walked> there together, and {B} pulled out the {X}.",
    "{B} thought for a while. \"Let us look {R.at},\" {B.he} <said>. And there lay the {X}, a little dusty.",
    "Suddenly {B} saw something <color> {R.at}. It was the {X}!",
  ])
  static let thanks = Beat([
    "\"<wow>! Thank you, {B}!\" {A} <cried>.",
    "{A} gave {B} a big hug. \"You are the best friend ever,\" {A.he?pronoun} said.",
    "\"You found it!\" {A} <cried>, and {A.he?pronoun} jumped up and down.",
  ])
  static let after = Beat([
    "{A} was <happy> again. The {X} had been {R.at?place} all the time, and it was {B?who} who had seen it.",
    "From then on, {A} always remembered that the {X} had been {R.at?place}.",
    "\"Next time I will look {R.at?place} first,\" {A} <said>.",
    "So the {X} was back, and the one who had found it was {B?who}. {A} felt <happy>.",
  ])
  static let moral = Beat([
    "{A} learned that [a good friend is better than any {X}|it is good to ask for help|two pairs of eyes see more than one|things should be put back in their place].",
    "And {A.he} never left the {X} {R.at} again.",
    "After that, {A.he} kept the {X} in a safe place.",
  ])
}
