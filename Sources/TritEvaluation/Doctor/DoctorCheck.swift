/// A fault that a model can have and be read all the same: what `ModelDoctor` looks for.
public enum DoctorCheck: String, Sendable, CaseIterable {
  /// The file is none of a model, or is damaged.
  case container
  /// A number of tensor types that does not fit the bytes, or means other things elsewhere.
  case typeID = "type-id"
  /// Text is cut in another way than the vocabulary was made for.
  case preTokenizer = "pre-tokenizer"
  /// The tokenizer cannot be read.
  case tokenizer
  /// More tokens than rows of the embedding, or far fewer.
  case vocabulary
  /// No token that ends a text, or not the one that ends a turn.
  case endToken = "end-token"
  /// Tokens of a chat model without the template that says how they stand, or a wrong one.
  case chatTemplate = "chat-template"
  /// Scales that multiply where they should divide, or the other way round.
  case scaleConvention = "scale-convention"
  /// Scales that are zero, denormal or no numbers.
  case scale
  /// I2_S codes in another order than that they are read in.
  case layout
  /// Another nonlinearity than the model was trained with.
  case activation
  /// A stored head beside one that is said to be the embedding.
  case tiedHead = "tied-head"
  /// Nothing but zeros.
  case zeros
  /// NaN or infinity.
  case notFinite = "not-finite"
  /// Nothing but the ends of the range.
  case saturated
  /// Codes that stand for nothing.
  case codes
  /// More positions than the model was trained with.
  case context
  /// Weights that are rotated.
  case hadamard
  /// The lab refuses the model for another reason.
  case refused

  /// One line about it.
  public var summary: String {
    switch self {
    case .container: "the file is none of a model, or is damaged"
    case .typeID: "a tensor type that does not fit its bytes"
    case .preTokenizer: "the pre-tokenizer is missing or wrong"
    case .tokenizer: "the tokenizer cannot be read"
    case .vocabulary: "tokenizer and embedding do not belong together"
    case .endToken: "nothing ends a text, or a turn"
    case .chatTemplate: "the chat template is missing or wrong"
    case .scaleConvention: "scales multiply where they should divide, or the other way round"
    case .scale: "scales are zero, denormal or no numbers"
    case .layout: "I2_S codes lie in another order"
    case .activation: "another nonlinearity than in training"
    case .tiedHead: "a stored head beside a tied one"
    case .zeros: "tensors are all zero"
    case .notFinite: "tensors hold NaN or infinity"
    case .saturated: "tensors hold nothing but ends of their range"
    case .codes: "codes stand for no trit"
    case .context: "more positions than in training"
    case .hadamard: "weights are rotated"
    case .refused: "the lab does not run the model"
    }
  }

  /// Public reports of the case, `OWNER/NAME#NUMBER`; empty where none is known.
  public var issues: [String] {
    func bitnet(_ numbers: Int...) -> [String] { numbers.map { "microsoft/BitNet#\($0)" } }
    switch self {
    case .layout: return bitnet(411, 468, 470, 585, 598, 600)
    case .preTokenizer: return bitnet(195, 508)
    case .endToken: return bitnet(126, 264, 609)
    case .scaleConvention: return bitnet(284)
    case .scale: return bitnet(468)
    case .typeID: return ["ggml-org/llama.cpp#12997", "ggml-org/llama.cpp#5761"]
    case .tokenizer: return bitnet(231, 236, 252, 300, 324)
    case .hadamard: return ["PrismML-Eng/llama.cpp#242"]
    default: return []
    }
  }
}

/// A fault that was found in a model: the evidence, and what to do.
public struct ModelFinding: Sendable {
  /// Which.
  public let check: DoctorCheck
  /// Key, file or tensors that it is about.
  public let place: String
  /// One sentence: what is wrong and what it does to the output.
  public let what: String
  /// What was seen.
  public let evidence: String
  /// What to do about it.
  public let mend: String

  /// A finding.
  public init(
    _ check: DoctorCheck, at place: String, _ what: String, evidence: String, mend: String
  ) {
    self.check = check
    self.place = place
    self.what = what
    self.evidence = evidence
    self.mend = mend
  }
}
