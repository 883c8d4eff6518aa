/// A contest: the fast one is sure of winning, and is wrong, or not.
struct RacePlot: StoryPlot {
  let name = "race"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b, .c])
    story.take(Lexicon.outdoors, into: .p)
    story.take(Lexicon.outdoors, into: .q, not: [.p])
    story.take(Lexicon.belongings, into: .x)
    story.offer(.place, [.p, .q])
    story.introduce()
    story.introduceFriend()
    story.tell(Self.contest)
    story.tell(Self.prize)
    story.paragraph()
    story.tell(Self.boast)
    story.tell(Self.calm)
    story.tell(Self.start)
    story.paragraph()
    let slept = story.chance(0.6)
    story.tell(slept ? Self.rest : Self.steady)
    story[.d] = story[slept ? .b : .a]
    story.tell(slept ? Self.overtake : Self.arrive)
    story.paragraph()
    story.tell(Self.result)
    story.tell(slept ? Self.humble : Self.praise)
    story.maybe(0.5, Common.evening)
  }

  static let contest = Beat([
    "One <nice> <time> they decided to race from {P.the} {Q.to}.",
    "On <weekday> there was a big race. It began {P.at} and ended {Q.at}.",
    "\"Let us see who is faster,\" {A} <said>. \"We will start {P.at} and end {Q.at}.\"",
  ])
  static let prize = Beat([
    "{C}, {a} <trait> {C.kind}, was the judge. The prize was {a} {X.full}.",
    """
    {C}, {a} <size> {C.kind} in {a} <color> <clothes>, held {a} {X.full}. "This is for the \
    winner," {C.he} <said>.
    """,
    "The winner would get {a} {X.full} from {C}, {a} <trait> {C.kind}.",
  ])
  static let boast = Beat([
    "\"I am as fast as {a} <animal>,\" {A} <cried>. \"I will win with one eye closed!\"",
    "{A} was <very> proud of {A.his} legs. \"Nobody can beat me,\" {A.he?pronoun} <said>.",
    "\"I will be back before you can say {X},\" {A} <said>, and {A.he?pronoun} <smile>.",
  ])
  static let calm = Beat([
    "{B} <thought>. \"I will just do my best,\" {B.he?pronoun} <whispered>.",
    "{B} only <smile> and tied {B.his?pronoun} <clothes>.",
    "\"We will see,\" {B} <whispered>.",
  ])
  static let start = Beat([
    "\"Ready, set, go!\" {C} <cried>, and they ran <far>.",
    "{C} counted to three, there was <sound>, and off they went.",
    "{C} waved {a} <color> flag. {A} ran <like>, and {B} followed.",
  ])
  static let rest = Beat([
    """
    Halfway {A} was so far ahead that {A.he} stopped to [eat <dinner>|sleep under a \
    tree|<play>|talk to {a} <animal>].
    """,
    """
    "I have plenty of time," thought {A}, and {A.he} lay down in the [grass|shade|sun] and \
    dreamed of <dream>.
    """,
    "{A} saw {a} <color> <animal> and forgot the race. {A.he} wanted to <play> instead.",
  ])
  static let overtake = Beat([
    "{B} went on, step by step, <far> and <far>. {B.he} never stopped.",
    "Meanwhile {B} <walked> <far>, past {A.him}, and reached {Q.the?place}.",
    """
    When {A} looked up, {B} was already close to {Q.the?place}. {A} ran <like>, but it was too \
    late.
    """,
  ])
  static let steady = Beat([
    "This time {A} did not stop for anything, not even for {a} <color> <animal>.",
    """
    {A} ran <far> and <far>, and {A.his} heart beat [fast|like a drum|like a \
    hammer|loudly|wildly].
    """,
    """
    {B} was close behind, but then {B.he} had to stop, because of a stone in {B.his?pronoun} \
    shoe.
    """,
  ])
  static let arrive = Beat([
    "<soon> {A} reached {Q.the?place}, out of breath, with {B} just behind.",
    "A moment later {A} jumped over the line, and {B} came in second.",
    "At the end it was close, but {A} was one step ahead.",
  ])
  static let result = Beat([
    "\"The winner is {D?who}!\" {C} <cried>.",
    "{C} <smile> and gave the {X} to {D?who}.",
    "And so the {X.full} went to {D?who}. Everyone <smile>.",
  ])
  static let humble = Beat([
    """
    {A} was <sad> at first. Then {A.he} <smile> and <said>, "You ran well, {B}. Next time I will \
    not stop."
    """,
    "{A} learned that [slow and steady can win|it is not wise to boast|a race is won at the end].",
    "\"I was too sure of myself,\" {A} <whispered>, and {B} gave {A.him} a hug.",
  ])
  static let praise = Beat([
    "{B} was not <angry>. \"Well done, {A},\" {B.he} <said>, and {B.he} <smile>.",
    "\"I only won because you made me run so fast,\" {A} <said>. {B} <smile>.",
    "{A} shared the prize with {B}: each could have the {X} on every other <weekday>.",
  ])
}
