/// Beats that many plots share: openings, feelings, endings.
enum Common {
  /// Introduces the child `A`.
  static let child = Beat([
    """
    Once upon a time there was {a} <size> {A.kind} named {A}. {A} lived in {a} <home> [with \
    {A.his} family|with {A.his} grandparents|near the sea|at the edge of the forest|far away \
    from here] and was always <trait>.
    """,
    """
    {A} was {a} <trait> {A.kind} who lived in {a} <home>. [Most of all|More than anything|On \
    free days|When it was <nice>], {A.he} liked to <play>.
    """,
    """
    [Once|Long ago|Not long ago|One year] there was {a} <trait> and <trait> {A.kind}. {A.his} \
    name was {A}, and {A.he} loved to <play>.
    """,
    """
    In {a} <home> lived {a} <size> {A.kind} called {A}. {A.he} was <trait>, <trait> and \
    sometimes <trait>.
    """,
    """
    {A} was {a} <size> {A.kind} with {a} <color> <clothes>. [Every day|Every <time>|After \
    school|In <season>] {A.he} liked to <play>.
    """,
    "There once was {a} <size> {A.kind} named {A}, who loved to <play> and to <play>.",
    """
    Do you know {A}, the {A.kind} with the <color> <clothes>? {A.he} lives in {a} <home> and is \
    <trait> and <trait>.
    """,
    """
    This is the story of {A}, {a} <trait> {A.kind} from {a} <home>. {A} had {a} <color> <pet> \
    and {a} <color> <clothes>.
    """,
  ])
  /// Introduces the animal `A`.
  static let animal = Beat([
    """
    Once upon a time {a} <size> {A.kind} named {A} lived in {a} <den>. {A.he} was known as the \
    most <trait> {A.kind} [around|in the forest|far and wide|in the valley].
    """,
    """
    {A} was {a} <trait> {A.kind} with [soft|long|short|funny|<color>|fluffy] \
    [ears|whiskers|legs|toes|eyebrows]. {A.he} lived in {a} <den> and liked to <play>.
    """,
    """
    Deep in the [forest|woods|valley|meadow|hills] lived {a} <size> {A.kind} called {A}. {A.he} \
    was <trait> and loved to <play>.
    """,
    """
    There once was {a} <trait> and <trait> {A.kind}. {A.his} name was {A}, and {A.his} home was \
    {a} <den>.
    """,
    """
    In {a} <den> lived {A}, {a} <size> and <trait> {A.kind}. {A.he} wore {a} <color> <clothes>, \
    even in <season>.
    """,
    """
    Everybody in the [forest|valley|woods] knew {A} the {A.kind}, because {A.he} was so <trait>. \
    [Every <time>|All day|In <season>] {A.he} liked to <play>.
    """,
    """
    This is the story of {A}, {a} <trait> {A.kind} who wore {a} <color> <clothes> and loved to \
    <play>.
    """,
  ])
  /// Introduces `B`, a child and friend of `A`.
  static let friendChild = Beat([
    "{A.his} best friend was {a} <trait> {B.kind} named {B}.",
    """
    {A} had a friend called {B}, {a} <trait> {B.kind} who [lived next door|lived across the \
    street|sat beside {A.him} at school|always wore {a} <color> <clothes>|liked to <play>].
    """,
    """
    {B}, {a} <size> {B.kind} from [the same street|the next village|school|the <home> nearby], \
    was {A.his} best friend.
    """,
    "{A} often played with {B}, {a} <trait> {B.kind} with {a} <color> <clothes>.",
    "Then there was {B}, {a} <size> {B.kind} who was <trait> and loved to <play>.",
  ])
  /// Introduces `B`, an animal and friend of `A`.
  static let friendAnimal = Beat([
    "{A.his} best friend was {B} the {B.kind}, who was <trait> and <trait>.",
    """
    {A} had a friend called {B}, {a} <trait> {B.kind} who lived [by the river|under an oak|on \
    the hill|behind the waterfall|in {a} <den>].
    """,
    """
    {B}, {a} <trait> {B.kind}, lived [nearby|not far away|in the next tree|in {a} <den>] and \
    often came to <play>.
    """,
    "{A.his} neighbor was {B}, {a} <size> {B.kind} in {a} <color> <clothes>.",
    "Then there was {B} the {B.kind}, who was <trait> and loved to <play>.",
  ])
  /// A day begins: weather, by itself.
  static let weather = Beat([
    "<weather>.", "<weather>, and <weather>.", "It was {a} <nice> <season> <time>.",
    "It was {a} <nice> <weekday>, and <weather>.",
  ])
  /// Something seen or heard on the way.
  static let aside = Beat([
    "On the way {A.he} saw {a} <color> <animal> and {a} <size> <animal>.",
    "[Somewhere|Nearby|Far away] {A.he} heard <sound>.",
    "{A} <walked> <far> and <far>.",
    "{a} <animal> [looked at|followed|passed|greeted] {A.him} and went away <quickly>.",
    "{A} sang a song about {a} <color> <animal>.",
    "It made {A.him} think of <dream>.",
    "{A.his} heart beat [fast|like a drum|like a hammer|loudly|wildly].",
  ])
  /// A happy ending to the day.
  static let evening = Beat([
    """
    That [night|evening], {A} [ate|had] <dinner> for dinner and [dreamed|told everyone] about \
    <dream>.
    """,
    "In the evening {A.he} was tired but <happy>, and dinner was <dinner>.",
    "When the stars came out, {A} fell asleep with a smile and dreamed of <dream>.",
    "That night {A} slept [well|deeply|like a log|until noon] and dreamed of <dream>.",
    "Then it was time for bed. {A} closed {A.his} eyes and thought, \"What {a} <nice> day!\"",
    "At home {A} ate <dinner> with <dinner>, and dinner had never tasted better.",
    """
    [Outside|Over the roof|Behind the hill] the moon came up, and somewhere there was <sound>. \
    {A} was not <scared>. {A.he} was <happy>.
    """,
  ])
  /// What a talk between friends ends with.
  static let agreed = Beat([
    "\"That is {a} <good> idea,\" {B} <said>.",
    "{B} <smile>. \"Let us go <quickly>,\" {B.he} <said>.",
    "\"<wow>! What {a} <good> plan,\" {B} <whispered>.",
    "{B} <thought>. Then {B.he} <smile>.",
  ])
}

extension Narrator {
  /// Introduces `A`, alone.
  mutating func introduce() { tell(self[.a].isChild ? Common.child : Common.animal) }
  /// Introduces the friend `B`.
  mutating func introduceFriend() {
    tell(self[.a].isChild ? Common.friendChild : Common.friendAnimal)
  }
}

extension Entity {
  /// Whether a character is a girl or a boy.
  var isChild: Bool { kind == "girl" || kind == "boy" }
}
