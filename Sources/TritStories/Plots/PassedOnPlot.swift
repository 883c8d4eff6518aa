/// One thing goes from hand to hand; at the end the story remembers who has it.
struct PassedOnPlot: StoryPlot {
  let name = "passed on"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b, .c])
    story.take(Lexicon.treasures, into: .x)
    story.take(Lexicon.outdoors, into: .p)
    story.introduce()
    story.tell(Self.found)
    story.maybe(0.5, Self.liked)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.first)
    story.maybe(0.5, Self.glad)
    story.paragraph()
    story.tell(Self.second)
    let returned = story.chance(0.4)
    story.tell(returned ? Self.back : Self.kept)
    story[.d] = story[returned ? .a : .c]
    story.paragraph()
    story.maybe(0.4, Self.time)
    story.tell(Self.end)
    story.tell(Self.moral)
    story.maybe(0.5, Common.evening)
  }

  static let found = Beat([
    "One <nice> <time>, {A.he} found {a} {X.full} {P.at}.",
    "<weather> when {A} found {a} {X.full} {P.at}.",
    """
    On {a} <nice> <weekday>, {A} <walked> {P.to}. There lay {a} {X.full} beside {a} <color> \
    stone.
    """,
    "One <time> {A} <walked> <far>. {P.at} {A.he} saw something <color>. It was {a} {X.full}.",
  ])
  static let liked = Beat([
    """
    {A.he} [held it up to the light|put it in {A.his} pocket|washed it <carefully>|showed it to \
    {a} <animal>].
    """,
    "\"<wow>, what {a} <good> {X},\" {A.he} <whispered>.",
    "It was as [smooth|pretty|light|bright] as <dream>.",
    "{A.he} had never seen such {a} <good> {X} before and <smile>.",
  ])
  static let first = Beat([
    """
    {A} gave the {X} to {B}, because {B} [was ill|had a birthday|looked <sad>|had never seen \
    such a thing|was so <trait>].
    """,
    "\"This is for you,\" {A} <whispered>, and {A.he?pronoun} put the {X} in {B.his?pronoun} hand.",
    "{B} was <sad> that <time>. So {A} <thought> and gave {B.him?pronoun} the {X}.",
    "For the {X}, {B} gave {A.him} {a} <color> <clothes>. It was a fair trade.",
  ])
  static let glad = Beat([
    "\"<wow>! Thank you!\" {B} <cried>, and {B.he?pronoun} <smile>.",
    "{B} was <happy> and took the {X} home <carefully>.",
    "{B} kept it in {a} <color> box beside {B.his?pronoun} bed.",
  ])
  static let second = Beat([
    """
    <soon> {B} met {C}, {a} <trait> {C.kind}. {C} liked the {X} so much that {B} gave it to \
    {C.him?pronoun}.
    """,
    """
    Some days later {B} <walked> <far> and met {C}, {a} <size> {C.kind}. {C} <frown>. "Here, \
    take this {X}," {B} <said>. "It will make you <happy>."
    """,
    """
    But {B} owed something to {C}, {a} <trait> {C.kind} in {a} <color> <clothes>. On <weekday> \
    {B} gave {C.him?pronoun} the {X}.
    """,
    """
    Then came {C}, {a} <trait> {C.kind} who loved to <play>. {C} found a lost <clothes> for {B}, \
    and as a reward {B} gave {C} the {X}.
    """,
  ])
  static let back = Beat([
    "But {C} knew whose {X} it had been. <soon> {C.he?pronoun} brought it back to {A}.",
    """
    "Wait, this belongs to {A}," {C} <said>. {C.he?pronoun} <walked> <far> and gave it back to \
    {A}.
    """,
    """
    {C} saw {A} the next <time> and <smile>. "I think that this {X} should be yours again," \
    {C.he?pronoun} <said>, and {A} took it.
    """,
  ])
  static let kept = Beat([
    "{C} put it on a shelf and looked at it every <time>.",
    "{C} <smile> and promised to keep it [forever|safe|for many years|in {a} <color> box].",
    "{C} hung it on {a} <color> string and wore it every <weekday>.",
  ])
  static let time = Beat([
    "Many [days|weeks|months] went by.", "<season> came and went.",
    "<weather>, and <time> after <time> went by.",
  ])
  static let end = Beat([
    "If you ask who has the {X} now, the answer is {D?who}.",
    "And so the {X} now belongs to {D?who}.",
    "One {X} had gone through many hands, and in the end it stayed with {D?who}.",
    "To this day the {X} can be found in the house of {D?who}.",
  ])
  static let moral = Beat([
    "A small gift can [travel far|make many friends|warm many hearts].",
    "All three became friends, and on <weekday> they liked to <play>.",
    "And every one of them had been <happy> for a while.",
    "\"A gift grows when it is given,\" said {a} <trait> <animal> who had seen it all.",
  ])
}
