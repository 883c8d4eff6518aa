import TritLab

/// Logits processors and samplers: what draws a token.
extension StageTemplate {
  static let processor = StageTemplate(
    key: .processor, language: .swift,
    source: { name in
      """
      // \(name.text): a logits processor for TritLab.
      //
      //     trit generate -m builtin:storyteller -p "Once" --samplers "\(name.text):gap=2" --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      /// Keeps the tokens whose logit is at most `gap` below the best one.
      struct \(name.type): LogitsProcessor {
        let name = "\(name.text)"
        let gap: Float

        /// Candidates come in any order, at least one of them, and at least one has to stay.
        mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
          let best = candidates.reduce(-Float.infinity) { max($0, $1.logit) }
          candidates.removeAll { $0.logit < best - gap }
        }
      }

      func register(_ lab: inout Lab) throws {
        let gap = ParameterDescriptor("gap", "in nats", .real(0...100), default: .real(3))
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "keeps what is near the best token", source: "\(name.file)", parameters: [gap],
          accepts: "logits", gives: "fewer logits")
        try lab.add(.processor, descriptor) { \(name.type)(gap: Float($0.real("gap"))) }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        sampler:
          - greedy
          - {top-p: 0.9, temperature: 1.0}
          - {"\(name.text)": 2.0, temperature: 1.0}
      measure:
        generate: {prompts: [Once upon a time], tokens: 60, seed: 7}

      """
    },
    question: { "\($0.text) beside other ways to leave out tokens: what do the texts read like?" })

  static let sampler = StageTemplate(
    key: .sampler, language: .swift,
    source: { name in
      """
      // \(name.text): a sampler for TritLab.
      //
      //     trit generate -m builtin:storyteller -p "Once" --samplers "\(name.text)" --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import Foundation
      import TritLab

      /// Draws each token with the probability that the softmax of the logits gives it.
      struct \(name.type): Sampler {
        let name = "\(name.text)"
        /// What it promises, by which laws it is checked: .best, .proportional or .other.
        let behaviour = SamplerBehaviour.proportional

        /// Not all candidates are at −∞; those that are must never be drawn.
        mutating func sample(_ candidates: borrowing [Candidate], random: inout SeededRandom) -> Int32 {
          var best = -Float.infinity
          for i in 0..<candidates.count { best = max(best, candidates[i].logit) }
          var total = 0.0
          for i in 0..<candidates.count { total += exp(Double(candidates[i].logit - best)) }
          var left = random.uniform() * total
          var token: Int32 = 0
          for i in 0..<candidates.count where candidates[i].logit > -.infinity {
            token = candidates[i].token
            left -= exp(Double(candidates[i].logit - best))
            if left < 0 { break }
          }
          return token
        }
      }

      func register(_ lab: inout Lab) throws {
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "by the softmax", source: "\(name.file)", accepts: "logits", gives: "a token")
        try lab.add(.sampler, descriptor) { _ in \(name.type)() }
      }

      """
    },
    experiment: { name in
      """
      sweep:
        sampler: [greedy, multinomial, "\(name.text)", {temperature: 0.7, sampler: "\(name.text)"}]
      measure:
        generate: {prompts: [Once upon a time], tokens: 60, seed: 7}

      """
    }, question: { "\($0.text) beside samplers of the lab: what do the texts read like?" })
}
