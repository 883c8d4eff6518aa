/// Two want the same thing; one takes it; both are sorry; they take turns.
struct QuarrelPlot: StoryPlot {
  let name = "quarrel"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b])
    story.castElder(.c)
    story.take(Lexicon.toys, into: .x)
    story.take(Lexicon.outdoors, into: .p)
    story[.g] = .word("sleepy")
    story[.h] = .word("hungry")
    story.offer(.feeling, [.f, .g, .h])
    story.introduce()
    story.introduceFriend()
    story.tell(Self.toy)
    story.paragraph()
    story.tell(Self.quarrel)
    let breaks = story.chance(0.4)
    story.tell(Self.snatch)
    if breaks { story.tell(Self.broken) }
    story.tell(Self.upset)
    story.paragraph()
    story.tell(Self.adult)
    story.tell(Self.sorry)
    if breaks { story.tell(Self.mended) }
    story.tell(Self.turns)
    story.paragraph()
    story[.d] = story[story.chance(0.5) ? .a : .b]
    story.tell(Self.first)
    story.tell(Self.last)
    story.tell(Self.moral)
    story.maybe(0.4, Common.evening)
  }

  static let toy = Beat([
    "One <nice> <time>, they found {a} {X.full} {P.at}.",
    "On <weekday> they played {P.at}. There was only one toy, {a} {X.full}.",
    "<weather>, and both wanted to play with the same {X.full} {P.at}.",
  ])
  static let quarrel = Beat([
    "\"I saw it first,\" {A} <said>. \"No, it is mine!\" {B} <cried>.",
    "\"Give it to me!\" {A} <cried>. \"I want to play with the {X} too,\" {B} <said>.",
    "\"It is my turn,\" {B} <said>. \"You had it all <time>,\" {A} <said>.",
  ])
  static let snatch = Beat([
    "Then {A} pulled the {X} out of {B.his?pronoun} hands and <walked> <far>.",
    """
    {A} was <angry> and pushed {B.him?pronoun} into the [grass|mud|leaves|sand]. Now {A} had the \
    {X}.
    """,
    "They pulled and pulled, until {A} had the {X} and {B} fell down with <bang>.",
  ])
  static let broken = Beat([
    "There was <bang>, and a piece of the {X} broke off.",
    "But {A.he} ran too fast, tripped over {a} <color> stone, and the {X} broke.",
  ])
  static let upset = Beat([
    "{B} was <sad=F>, and {B.he?pronoun} <frown>.",
    "{B} <frown>. {B.he} was <sad=F> and did not want to <play> anymore.",
    "\"You are not my friend,\" {B} <said>, <sad=F> and pale. Then {B.he?pronoun} <frown>.",
  ])
  static let adult = Beat([
    "{C} had heard <bang> and came outside. \"Why is {B} so {F?feeling}?\" {C.he} asked.",
    "{C} <thought>. \"How would you feel if somebody took your {X}?\" {C.he} asked {A} <softly>.",
    "\"Look at {B},\" {C} <said>. \"Can you see how {F?feeling} {B.he?pronoun} is?\"",
  ])
  static let sorry = Beat([
    "{A} <frown>. \"I am sorry, {B},\" {A.he} <whispered>. \"I was not <trait> at all.\"",
    "{A} felt <sad> too. {A.he} <walked> to {B} and <said>, \"Please forgive me.\"",
    """
    "I did not want to make you {F?feeling}," {A} <said>, and {A.he?pronoun} held out {A.his} \
    hand.
    """,
  ])
  static let mended = Beat([
    "With some [glue|string|tape|paint] they mended the {X} <carefully>.",
    "{C} helped them to repair the {X}, and <soon> it was as good as new.",
  ])
  static let turns = Beat([
    "\"We can take turns,\" {B} <said>. \"<wow>! That is {a} <good> idea,\" {A} <said>.",
    "\"What if each of us has it until we have counted to a hundred?\" {B} <said>. {A} <smile>.",
    "So they made a rule: first one, then the other, and nobody had to <play> alone.",
  ])
  static let first = Beat([
    "The first turn went to {D}, who <smile>.",
    "{D} could begin. {D.he} played <carefully>.",
    "They tossed {a} <color> coin, and {D} won the first turn.",
  ])
  static let last = Beat([
    "<soon> they were both <happy> again. Who had begun? It was {D?who}.",
    """
    They laughed a lot. "Next time I will begin, because today it was {D?who}," the other one \
    <said>.
    """,
    "Later they could not even remember the quarrel, only that the first turn had gone to {D?who}.",
  ])
  static let moral = Beat([
    "Sharing makes [every toy|play|each game] twice as good.",
    "A friend is worth more than any {X}.",
    "It is not easy to say sorry, but it helps.",
    "{C} watched them through the window and <smile>.",
  ])
}
