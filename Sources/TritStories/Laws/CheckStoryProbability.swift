import Foundation
public import TritCore

/// Checks the probability of texts against all derivations of small grammars, listed one by one.
///
/// The grammars have what the stories have: draws that are never told, draws that leave out what
/// earlier ones took, adjectives, synonyms, words that are kept and not repeated, sentences that
/// may be missing, plots that branch, characters. For each text of a grammar the sum over its
/// derivations is the probability that `StoryProbability`'s machinery gives, within float64
/// rounding; the probabilities sum to 1; a text that no derivation gives has probability 0.
/// `factor` other than 1 multiplies what is checked: the checker must then complain.
public func checkStoryProbability(factor: Double = 1) -> [LawViolation] {
  SmallGrammars.all.flatMap { name, tell in
    let violations = SmallGrammars.broken(tell, factor: factor)
    return violations.map { LawViolation($0.0, "grammar '\(name)': \($0.1)") }
  }
}

private enum SmallGrammars {
  static let things = NounGroup("ball, kite, cup", adjectives: "red, big")
  static let places = NounGroup(places: "in garden, at lake, on hill")

  static let all: [(String, @Sendable (inout Narrator) -> Void)] = [
    (
      "never told",
      { story in
        story.take(things, into: .x)
        story.take(things, into: .y, not: [.x])
        story.take(things, into: .z, not: [.x, .y])
        story.take(places, into: .p)
        story.tell(Beat(["{a} {X.full} and {a} {Z}.", "[the|{a}] {Z} lay there.", "{Y.many}!"]))
        story.maybe(0.3, Beat(["It was {P.at}.", "Nothing else."]))
      }
    ),
    (
      "words",
      { story in
        story.tell(Beat(["<time> and <time>.", "One <time=W>.", "Two [day|morning|day]s."]))
        story.tell(Beat(["{W}?", "The <time>.", "big."]))
      }
    ),
    (
      "branches",
      { story in
        let count = story.pick(1...3)
        story[.n] = .number(count)
        story.take(things, into: .u)
        story.take(things, into: .x)
        let swapped = story.chance(0.25)
        story[.d] = story[swapped ? .u : .x]
        story.tell(Beat(["{N U} fell.", "some {U.many} fell."]))
        story.paragraph()
        if story.chance(0.5) { story.tell(Beat(["\"look!\" one said.", "\"~look.\" one said."])) }
        story.tell(Beat(["the {D.full}.", "the {D}.", "^the [red ball|{D}]."]))
      }
    ),
    (
      "characters",
      { story in
        story.castChild(.a)
        story.castChild(.b)
        story.tell(Beat(["{B} the {B.kind} saw {A.him}.", "{A.he} saw {B}."]))
      }
    ),
    (
      "animals and elders",
      { story in
        story.castAnimal(.a)
        story.castElder(.c)
        story.tell(Beat(["the {A.kind} saw {C.him}.", "{A} and {C}.", "{A.he}."]))
      }
    ),
  ]

  /// Texts and probabilities of all derivations, summed by text.
  static func texts(_ tell: (inout Narrator) -> Void) -> [String: Double] {
    var result: [String: Double] = [:]
    var next: [Int]? = []
    while let path = next {
      var narrator = Narrator(forcing: path)
      tell(&narrator)
      result[String(decoding: narrator.text, as: UTF8.self), default: 0] +=
        exp(narrator.logProbability)
      // The last choice that has another option left takes it; all after it begin anew.
      let counts = narrator.choices.map(\.optionCount)
      var places = path + [Int](repeating: 0, count: counts.count - path.count)
      while let last = places.last, last + 1 >= counts[places.count - 1] { places.removeLast() }
      if let last = places.popLast() { next = places + [last + 1] } else { next = nil }
    }
    return result
  }

  static func broken(_ tell: (inout Narrator) -> Void, factor: Double) -> [(String, String)] {
    var broken: [(String, String)] = []
    let texts = texts(tell)
    let sum = texts.keys.sorted().reduce(0) { $0 + (texts[$1] ?? 0) }
    if abs(sum - 1) > 1e-9 { broken.append(("All derivations together are certain", "\(sum)")) }
    for text in texts.keys.sorted() {
      let expected = texts[text] ?? 0
      let got = factor * DerivationSum.probability(of: text, tell)
      // Some ten thousand products and sums, each off by at most 2^-53.
      if abs(got - expected) > 1e-11 * expected {
        broken.append(
          ("A text is as likely as all its derivations", "'\(text)': \(got) for \(expected)"))
      }
      for other in [text + ".", String(text.dropLast()), "X" + text] where texts[other] == nil {
        if DerivationSum.probability(of: other, tell) != 0 {
          broken.append(("A text without derivation has probability 0", "'\(other)'"))
        }
      }
    }
    return broken
  }
}
