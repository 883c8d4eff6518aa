/// An errand with coins: what was asked for, what it cost, how much is left.
struct MarketPlot: StoryPlot {
  let name = "market"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.castElder(.c)
    story.take(Lexicon.wares, into: .x)
    story.take(Lexicon.wares, into: .y, not: [.x])
    story.take(Lexicon.wares, into: .z, not: [.x, .y])
    story.offer(.object, [.x, .y, .z])
    let coins = story.pick(8...14)
    let price = story.pick(2...4)
    let other = story.pick(1...2)
    story[.n] = .number(coins)
    story[.m] = .number(price)
    story[.k] = .number(coins - price)
    story[.j] = .number(other)
    story[.w] = .number(coins - price - other)
    story[.u] = .noun("coin")
    story.introduce()
    story.tell(Self.errand)
    story.tell(Self.coins)
    story.paragraph()
    story.tell(Self.way)
    story.maybe(0.6, Common.aside)
    story.tell(Self.stall)
    story.tell(Self.paid)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.met)
    story.tell(Self.spent)
    story.tell(Self.rest)
    story.paragraph()
    story.tell(Self.home)
    story.tell(Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let errand = Beat([
    "One <nice> <time>, {C} <said>, \"Please go to the market and buy {a} {X}.\"",
    """
    On <weekday>, {C} needed {a} {X} [for dinner|for a guest|for <weekday>|before noon]. "Can \
    you get one for me?" {C.he} asked.
    """,
    """
    "We have no {X} left," {C} <said> one <nice> <time>. {A} <smile>. "I will go and buy one," \
    {A.he?pronoun} <said>.
    """,
  ])
  static let coins = Beat([
    "{C} gave {A.him} {N U} in {a} <color> purse.",
    "In {A.his} [pocket|hand|<color> purse|hat] were {N U}.",
    "\"Here are {N U},\" {C} <said>. \"Count them <carefully>.\"",
  ])
  static let way = Beat([
    "{A} <walked> <far> and <far>.",
    """
    The market was full of [people|noise|music|colors|smells]. There was {a} <color> tent and \
    {a} <size> <animal>.
    """,
    "<weather>. {A} <walked> <far> and sang about {a} <color> <animal>.",
  ])
  static let stall = Beat([
    """
    {a} <trait> [woman|man|farmer|baker|trader] in {a} <color> <clothes> sold {X.many} and \
    {Y.many}.
    """,
    "At one stall there were {Y.many}, and beside them lay {X.many}.",
    "\"Fresh {X.many}! Fine {Y.many}!\" {a} <trait> [woman|man|farmer|trader] <cried>.",
  ])
  static let paid = Beat([
    "The {X} cost {M U}. {A} paid and had {K?count} left.",
    "{A} asked for {a} {X} and paid {M U}. That left {K?count} in the purse.",
    "\"That makes {M U},\" said the seller. {A} counted the rest: there were {K?count}.",
  ])
  static let met = Beat([
    """
    <soon> {A} met {B.him?pronoun} near the market. {B} <frown>, because {B.he?pronoun} had lost \
    {B.his?pronoun} money.
    """,
    "There {B.he?pronoun} stood and <frown>. \"I am {J U} short for my {Y},\" {B} <whispered>.",
    "\"I would love to have {a} {Y},\" {B} <said>, \"~but I have no money.\"",
  ])
  static let spent = Beat([
    "{A} <thought> and gave {B.him?pronoun} {J U}. {C} would surely understand.",
    "\"I can help,\" {A} <said>, and {A.he} gave {J U} to {B}.",
    "So {A} gave away {J U}, and {B} <smile>.",
  ])
  static let rest = Beat([
    "Now there were {W?count} left.", "After that {A} had {W?count}.",
    "In the <color> purse there were still {W?count}.",
  ])
  static let home = Beat([
    "At home {A} gave {C} the {X?object} and told {C.him?pronoun} everything.",
    "{C} was already waiting. \"Here is your {X?object},\" {A} <said>, \"~and {W U}.\"",
    "{A} put the {X?object} on the table, with {W U} beside it. {C} <smile>.",
  ])
  static let moral = Beat([
    "\"You did well to help a friend,\" {C} <said>.",
    "\"{W}! That is right,\" {C} <said>. \"You can count, and you are <trait>.\"",
    "{C} was <happy>. A kind heart is worth more than [coins|gold|any {X}].",
    "And the next <weekday> {B} came with {J U} and {a} <color> flower to say thank you.",
  ])
}
