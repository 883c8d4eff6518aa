/// One thing goes from hand to hand; at the end the story remembers who has it.
struct PassedOnPlot: StoryPlot {
  let name = "passed on"

  func tell(_ story: inout Narrator) {
    story.cast([.a, .b, .c])
    story.take(Lexicon.treasures, into: .x)
    story.take(Lexicon.outdoors, into: .p)
    story.introduce()
    story.tell(Self.found)
    story.paragraph()
    story.introduceFriend()
    story.tell(Self.first)
    story.paragraph()
    story.tell(Self.second)
    let returned = story.chance(0.4)
    story.tell(returned ? Self.back : Self.kept)
    story[.d] = story[returned ? .a : .c]
    story.offer(.who, [.a, .b, .c])
    story.paragraph()
    story.tell(Self.end)
    story.maybe(0.5, Common.evening)
  }

  static let found = Beat([
    "One <nice> <time>, {A.he} found {a} {X.full} {P.at}.",
    "<weather> when {A} found {a} {X.full} {P.at}.",
  ])
  static let first = Beat([
    "{A} gave the {X} to {B}, because {B} [was ill|had a birthday|looked <sad>|had never seen such a thing].",
    "\"This is for you,\" {A} <said>, and {A.he?pronoun} put the {X} in {B.his?pronoun} hand.",
  ])
  static let second = Beat([
    "The next day {B} met {C}, {a} <trait> {C.kind}. {C} liked the {X} so much that {B} gave it to {C.him?pronoun}."
  ])
  static let back = Beat([
    "But {C} knew whose {X} it had been. {C.he?pronoun} brought it back to {A}."
  ])
  static let kept = Beat([
    "{C} put it on a shelf and looked at it every <time>."
  ])
  static let end = Beat([
    "If you ask who has the {X} now, the answer is {D?who}.",
    "And so the {X} now belongs to {D?who}.",
  ])
}
