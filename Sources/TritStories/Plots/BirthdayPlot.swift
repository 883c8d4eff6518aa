/// A wish, a secret present, a hiding place, a surprise.
struct BirthdayPlot: StoryPlot {
  let name = "birthday"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b], animals: 0.3)
    story.castElder(.c)
    story.take(Lexicon.toys, into: .x)
    story.take(Lexicon.toys, into: .y, not: [.x])
    story.take(Lexicon.toys, into: .z, not: [.x, .y])
    story.take(Lexicon.dishes, into: .u)
    story.take(Lexicon.hidingPlaces, into: .p)
    story.take(Lexicon.hidingPlaces, into: .q, not: [.p])
    story.take(Lexicon.hidingPlaces, into: .r, not: [.p, .q])
    let age = story.pick(4...9)
    story[.n] = .number(age)
    story[.m] = .number(age - 1)
    story.offer(.object, [.x, .y, .z])
    story.offer(.place, [.p, .q, .r])
    story.introduce()
    story.tell(Self.soon)
    story.tell(Self.wish)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.plan)
    story.tell(Self.hide)
    story.paragraph()
    story.tell(Self.day)
    story.tell(Self.food)
    story.tell(Self.search)
    story.tell(Self.unwrap)
    story.paragraph()
    story.tell(Self.thanks)
    story.tell(Self.end)
    story.maybe(0.5, Common.evening)
  }

  static let soon = Beat([
    "On <weekday> {A} would be {N} years old.",
    "{A} was {M} years old, and {A.his} birthday was near. Soon {A.he} would be {N?count}.",
    "It was almost {A.his} birthday, and there would be {N} candles on the cake.",
  ])
  static let wish = Beat([
    "What {A.he} wished for most was {a} {X.full}. {A.he} had seen one in {a} <color> shop window.",
    "\"I wish I had {a} {X.full},\" {A.he} <whispered>. \"I do not need {a} {Y}.\"",
    "Other children had {a} {Y}, but {A} dreamed of {a} {X.full}.",
    "Every <time> {A.he} drew {a} {X.full} on {a} <color> piece of paper and <smile>.",
  ])
  static let plan = Beat([
    "{B} knew the secret wish. \"Let us get the {X?object} together,\" {B.he} <said> to {C}.",
    """
    {B} and {C} made a plan. They sold {a} <color> <clothes> and {a} {Z} and bought the \
    {X?object}.
    """,
    """
    "I know what {A} wants," {B} whispered to {C}. They worked for many days to make the \
    {X?object} themselves.
    """,
  ])
  static let hide = Beat([
    """
    They wrapped it in <color> paper and hid it {P.at}. It could not stay {Q.at}, because {A} \
    often played there.
    """,
    "\"Where shall we hide it?\" {C} asked. \"{Q.at}?\" \"No, {P.at},\" {B} <whispered>.",
    """
    {C} tied {a} <color> ribbon around the box and put it {P.at}. Nobody looked there, only \
    {Q.at}.
    """,
  ])
  static let day = Beat([
    "Then the day came. <weather>, and {A} woke up <happy>.",
    "On <weekday> {A} jumped out of bed and <smile>. \"Today I am {N?count}!\" {A.he} <cried>.",
    "At last it was the birthday. Everyone sang, and there was <sound> outside.",
  ])
  static let food = Beat([
    "There was {U.full} for everyone, with <dinner> and <dinner>.",
    "{C} had made {U.full}, and {a} <trait> <animal> got some too.",
    "They ate {U.full} and <dinner> until they could eat no more.",
  ])
  static let search = Beat([
    """
    "There is one more thing," {B} <said>. "You must find it." {A} <looked> {R.at}, but there \
    was nothing. Then {A.he} <looked> {P.at?place}.
    """,
    "\"Look {P.at?place},\" {C} <said>, and {A} <walked> there <quickly>.",
    """
    {A} <looked> {R.at} first. "Cold," {B} <said>. Then {A.he} <looked> {P.at?place}. "Hot!" {B} \
    <cried>.
    """,
  ])
  static let unwrap = Beat([
    "{A} opened the paper <carefully>. It was {a} {X.full}!",
    "Out came {a} {X.full}! {A} could not believe {A.his} eyes.",
    "{A.his} hands shook <like>. \"<wow>! {a} {X.full}!\" {A.he} <cried>.",
  ])
  static let thanks = Beat([
    "\"How did you know that I wanted {a} {X.full}?\" asked {A}. {B} and {C} only <smile>.",
    "{A} hugged {B} and {C}. \"This is the best birthday of all,\" {A.he} <said>.",
    "{A} was so <happy> that {A.he?pronoun} <smile>.",
  ])
  static let end = Beat([
    """
    They played with the {X?object} until [it was dark|the stars came out|dinner was on the \
    table|the <animal> next door fell asleep].
    """,
    "{A} thanked {C} and promised to share the {X?object} with {B?who}.",
    "The best present is one that comes from the heart.",
    "And when {B} had a birthday, {A} made {B.him?pronoun} {a} <color> <clothes>.",
  ])
}
