/// Food is gathered, shared and eaten, and the numbers come out right.
struct SharedFoodPlot: StoryPlot {
  let name = "shared food"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.take(Lexicon.fruits, into: .x)
    story.take(Lexicon.outdoors, into: .p)
    let all = story.pick(7...14)
    let given = story.pick(1...3)
    let eaten = story.pick(1...2)
    story[.n] = .number(all)
    story[.m] = .number(given)
    story[.k] = .number(all - given)
    story[.j] = .number(eaten)
    story.introduce()
    story.tell(Self.gathered)
    story.maybe(0.6, Self.proud)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.hungry)
    story.tell(Self.gave)
    story.tell(Self.left)
    story.paragraph()
    story.maybe(0.6, Common.aside)
    story.tell(Self.ate)
    story[.w] = .number(all - given - eaten)
    story.tell(Self.rest)
    story.tell(Self.moral)
    story.maybe(0.5, Common.evening)
  }

  static let gathered = Beat([
    """
    One <nice> <time>, {A.he} <walked> {P.to} and [someone there gave {A.him}|came back \
    with|bought] {N X}.
    """,
    """
    On <weekday>, {A} came home from {P.the} with {N X} in {a} <color> \
    [basket|bag|bowl|bucket|box].
    """,
    """
    One <nice> <time>, [Grandma|Grandpa|{a} <trait> farmer|the <trait> baker|{a} <trait> \
    neighbor] gave {A.him} {N X}.
    """,
    "One <nice> <season> <time>, {A} counted {A.his} {X.many}. There were {N} of them.",
    "<weather>. {A} sat {P.at} with {a} <color> [basket|bag|bowl|plate]. In it were {N X}.",
  ])
  static let proud = Beat([
    "\"<wow>! {N X}!\" {A.he} <cried>.",
    """
    The {X.many} looked [sweet|tasty|wonderful|fresh|ripe|delicious] and smelled [good|of \
    <season>|of honey|of sunshine|of home].
    """,
    "{A.he} was <very> <happy> and <smile>.",
    "\"They are all mine,\" {A.he} <said>, and {A.he} <smile>.",
  ])
  static let hungry = Beat([
    "\"I am <very> hungry,\" {B} <whispered>. \"May I have some {X.many}?\"",
    """
    {B} looked at the {X.many} and <thought>. {B.he} had not eaten since \
    [breakfast|lunch|<weekday>|the day before].
    """,
    "{B} was <sad>, because {B.he} had [nothing|only old <dinner>|no food at all] to eat.",
    "{B} came by and <frown>. \"I have no {X.many},\" {B.he} <said>.",
    "\"Those {X.many} look <good>,\" {B} <whispered>, and {B.he} <thought>.",
  ])
  static let gave = Beat([
    "{A} <thought>. Then {A.he} gave {M X} to {B}.",
    "\"Here, take {M X},\" {A} <whispered>, and {B} thanked {A.him?pronoun}.",
    "So {A} shared. {B} got {M X} and <smile>.",
    "{A} <smile> and put {M X} [into|in] {B.his} [hands|lap|bag|hat].",
  ])
  static let left = Beat([
    "Now {A} had {K?count} left.", "That left {A} with {K?count}.",
    "After that, {A.his} {X.many} were {K?count} in number.",
    "{A} counted the rest <carefully>. {A.he} still had {K?count}.",
  ])
  static let ate = Beat([
    """
    <soon> they sat down {P.at}. {A} ate {J} of {A.his?pronoun} own <carefully>, and {B} ate all \
    that {B.he?pronoun} had.
    """,
    "{A} ate {J} <quickly>, and {A.he?pronoun} <smile>.",
    "<soon> {A} grew hungry too and ate {J}.",
    "{A} gave {J} to {a} <size> <animal> that came <far>.",
    """
    <soon> {A} fell over a root, and {J} rolled away into the grass, too far [to see|to \
    reach|down the hill].
    """,
  ])
  static let rest = Beat([
    "When {A} counted again, {A.he} still had {W?count} for the next [day|<time>|<weekday>].",
    "So in the end {A} had {W?count} for [{A.his} mother|later|the winter|a rainy day|<weekday>].",
    "\"How many are left?\" asked {B}. {A} counted and said that there were {W?count}.",
  ])
  static let moral = Beat([
    "[Shared|Sharing] food tastes [better|best].",
    "\"Sharing is [fun|good|easy|kind],\" {A} <said>.",
    "And {B} never forgot how <trait> {A} had been.",
    "From that day on, {A} and {B} shared [everything|all their food|every cake].",
  ])
}
