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
    story.maybe(0.5, Self.habit)
    story.paragraph()
    story.tell(Self.lost)
    story.tell(Self.sad)
    story.tell(Self.searched)
    story.maybe(0.4, Common.aside)
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
    "{A.he} had {a} {X.full} that {A.he} [loved|liked|treasured] <very> much.",
    "More than [anything|<dream>|all {A.his} other things], {A.he} loved {A.his} {X.full}.",
    """
    [For {A.his} birthday|Last <season>|One <weekday>|As a prize] {A.he} had been given {a} \
    {X.full}.
    """,
    "{A.his} favorite thing in the [world|house|whole <season>] was {a} {X.full}.",
    "{A.he} owned {a} {X.full}, and it was {A.his} [treasure|joy|secret|pride].",
    "[Grandma|Grandpa|{a} <trait> neighbor|{a} <trait> uncle] had made {A.him} {a} {X.full}.",
  ])
  static let habit = Beat([
    "{A.he} took the {X} [everywhere|along every <time>|to bed|to the table].",
    "Every [night|<time>] the {X} lay beside {A.his} [bed|chair|window|pillow].",
    """
    "This is the [best|finest|dearest] {X} [in the world|of all|far and wide]," {A.he} liked to \
    say.
    """,
    "[Nobody else|No friend|Not even {A.his} mother] was allowed to touch the {X}.",
    "{A.he} cleaned the {X} every <weekday> and put it away <carefully>.",
  ])
  static let lost = Beat([
    "One <nice> <time>, the {X} was gone.",
    "But one <nice> <time> {A} could not find the {X} [anywhere|at all].",
    "On <weekday>, {A} [woke up|came home|wanted to play] and saw that the {X} was missing.",
    """
    Then, one <nice> <time> in <season>, something [bad|sad|strange] happened. The {X} \
    disappeared!
    """,
    """
    <weather> when {A} reached for the {X}. [It was not there|There was nothing|{A.his} hand was \
    empty].
    """,
  ])
  static let sad = Beat([
    "\"<oops>! Where is my {X}?\" {A.he} <cried>.",
    "{A} felt <sad> and <frown>.",
    "{A.he} was <very> <sad>. \"I want my {X} back,\" {A.he} <whispered>.",
    "{A.he} <frown>, and a tear rolled down {A.his} [cheek|nose|face].",
    "\"I must find it,\" {A} <said>, and {A.he} <thought>.",
  ])
  static let searched = Beat([
    """
    {A.he} <looked> {P.at}, but [it was not there|it was too dark to see|there was only {a} \
    <animal>]. {A.he} <looked> {Q.at}, but [found only dust|there was nothing|it was not there \
    either|all {A.he} found was {a} <color> <clothes>].
    """,
    """
    First {A.he} <looked> {P.at}. Then {A.he} <looked> {Q.at}. [No {X}!|There was no {X} at \
    all.|The {X} stayed lost.]
    """,
    """
    {A.he} <looked> {P.at} and {Q.at}, but [the {X} was not there|all {A.he} found was {a} \
    <color> <clothes>|there was only {a} <size> <animal>|nothing was <color> enough].
    """,
  ])
  static let asked = Beat([
    """
    "Have you seen my {X}?" asked {A}. "No," {B} <said>, "~but I will help you [look|search|find \
    it]."
    """,
    """
    When {B} heard about the {X}, {B.he} <said>, "Do not [worry|cry|be <sad>]. We will find it \
    together."
    """,
    """
    {B} saw that {A} was <sad>. "What is wrong?" {B.he} asked <softly>. "I lost my {X}," {A} \
    <said>.
    """,
    "\"Please help me find my {X},\" {A} <said>. \"[Of course|Sure|Gladly|Yes],\" {B} <whispered>.",
    "{A} told {B} [everything|about the {X}|the whole story]. {B} <thought>.",
  ])
  static let found = Beat([
    "They <looked> {R.at}, and there was the {X}!",
    """
    "Did you look {R.at}?" {B} asked. They <walked> there <quickly>, and {B} pulled out the {X}.
    """,
    """
    {B} <thought>. "Let us look {R.at}," {B.he} <said>. And there lay the {X}, [a little \
    dusty|safe and sound|waiting|full of sand].
    """,
    "<soon> {B} saw something <color> {R.at}. It was the {X}!",
    "They heard <sound> and <walked> to see what it was. {R.at} {B} saw the {X}!",
  ])
  static let thanks = Beat([
    "\"<wow>! Thank you, {B}!\" {A} <cried>.",
    "{A} gave {B} a [big|long|warm] hug. \"You are the best friend ever,\" {A.he?pronoun} <said>.",
    "\"You found it!\" {A} <cried>, and {A.he?pronoun} <smile>.",
    "{A} was so <happy> that {A.he?pronoun} <smile>.",
  ])
  static let after = Beat([
    """
    {A} was <happy> again. The {X} had been {R.at?place} all the time, and it was {B?who} who \
    had seen it.
    """,
    "From then on, {A} always remembered that the {X} had been {R.at?place}.",
    "\"Next time I will look {R.at?place} first,\" {A} <said>.",
    "So the {X} was back, and the one who had found it was {B?who}. {A} felt <happy>.",
    "When people asked where the {X} had been, {A} <smile> and said that it had been {R.at?place}.",
  ])
  static let moral = Beat([
    """
    {A} learned that [a good friend is better than any {X}|it is good to ask for help|two pairs \
    of eyes see more than one|things should be put back in their place].
    """,
    "And {A.he} never left the {X} {R.at} again.",
    """
    After that, {A.he} kept the {X} in [a safe place|{a} <color> box|{A.his} room|{a} <color> \
    bag].
    """,
  ])
}
