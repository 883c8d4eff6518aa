/// Beats that many plots share: openings, feelings, endings.
enum Common {
  /// Introduces the child `A`.
  static let child = Beat([
    "Once upon a time there was {a} <size> {A.kind} named {A}. {A} lived in {a} <home> and was always <trait>.",
    "{A} was {a} <trait> {A.kind} who lived in {a} <home>. Most of all, {A.he} liked to <play>.",
    "Once there was {a} <trait> {A.kind}. {A.his} name was {A}, and {A.he} loved to <play>.",
    "In {a} <home> lived {a} <size> {A.kind} called {A}. {A.he} was <trait> and <trait>.",
    "{A} was {a} <size> {A.kind} with {a} <color> [hat|jacket|sweater|scarf|raincoat|backpack]. Every day {A.he} liked to <play>.",
    "There once was {a} <size> {A.kind} named {A}, who loved to <play> and to <play>.",
  ])
  /// Introduces the animal `A`.
  static let animal = Beat([
    "Once upon a time {a} <size> {A.kind} named {A} lived in {a} <den>. {A.he} was known as the most <trait> {A.kind} around.",
    "{A} was {a} <trait> {A.kind} with [soft|long|short|funny] [ears|whiskers|legs|toes]. {A.he} lived in {a} <den> and liked to <play>.",
    "Deep in the forest lived {a} <size> {A.kind} called {A}. {A.he} was <trait> and loved to <play>.",
    "There once was {a} <trait> {A.kind}. {A.his} name was {A}, and {A.his} home was {a} <den>.",
    "In {a} <den> lived {A}, {a} <size> and <trait> {A.kind}.",
  ])
  /// Introduces `B`, a child and friend of `A`.
  static let friendChild = Beat([
    "{A.his} best friend was {a} <trait> {B.kind} named {B}.",
    "{A.he} had a friend called {B}, {a} <trait> {B.kind} who [lived next door|lived across the street|sat beside {A.him} at school].",
    "{B}, {a} <size> {B.kind} from [the same street|the next village|school], was {A.his} best friend.",
    "{A.he} often played with {B}, {a} <trait> {B.kind}.",
  ])
  /// Introduces `B`, an animal and friend of `A`.
  static let friendAnimal = Beat([
    "{A.his} best friend was {B} the {B.kind}.",
    "{A.he} had a friend called {B}, {a} <trait> {B.kind} who lived [by the river|under an oak|on the hill|behind the waterfall].",
    "{B}, {a} <trait> {B.kind}, lived [nearby|not far away|in the next tree] and often came to play.",
    "{A.his} neighbor was {B}, {a} <size> {B.kind}.",
  ])
  /// The day of the story begins.
  static let day = Beat([
    "One <nice> <time>, ", "One <weekday>, ", "On {a} <nice> <season> <time>, ",
    "One <time> in <season>, ",
  ])
  /// Weather, by itself.
  static let weather = Beat([
    "<weather>.", "<weather>, and <weather>.", "It was {a} <nice> <time>.",
  ])
  /// A quiet evening.
  static let evening = Beat([
    "That [night|evening], {A} [ate|had] <dinner> for dinner and [dreamed|told everyone] about <dream>.",
    "In the evening {A.he} was tired but <happy>.",
    "When the stars came out, {A} fell asleep with a smile and dreamed of <dream>.",
    "That night {A} slept [well|deeply|like a log] and dreamed of <dream>.",
    "Then it was time for bed. {A} closed {A.his} eyes and thought, \"What {a} <nice> day!\"",
    "At home there was <dinner> for dinner, and it tasted better than ever.",
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
