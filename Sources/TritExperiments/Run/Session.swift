package import TritCore

/// What the runner needs of the rest of the lab: identify models and data, and make variants run.
///
/// A seam: `LabBackend` measures real models; tests use a made-up one, so that planning, records
/// and resuming are tested without any.
package protocol ExperimentBackend: AnyObject {
  /// Finds a model and digests it. Throws `missingInput` with what to do.
  func identify(model: PathReference) throws -> InputIdentity
  /// Throws `missingInput` with what to do where the model is not there.
  func find(model: PathReference) throws
  /// Takes the tokenizer of every model from `tokenizer`. Called before models are identified.
  func use(tokenizer: PathReference) throws
  /// Finds a text and digests it. Throws `missingInput` with what to do.
  func identify(data: PathReference, field: String?) throws -> InputIdentity
  /// Finds questions and digests them. Throws `missingInput` with what to do.
  func identify(questions: PathReference, limit: Int?) throws -> InputIdentity
  /// Finds the records of tasks and digests them. Throws `missingInput` with what to do.
  func identify(tasks: HarnessNeeds) throws -> InputIdentity
  /// Finds queries and documents and digests them. Throws `missingInput` with what to do.
  func identify(retrieval: PathReference, limit: Int?) throws -> InputIdentity
  /// Throws what is sure to go wrong with a variant, as far as that is known without loading it.
  func check(_ request: SessionRequest, _ measure: Measurements) throws
  /// What every `auto` of the request picks that may lose something, and so changes results from
  /// pick to pick; `load` gets these in its place.
  func picks(_ request: SessionRequest) throws -> [StageKey: StageChoice]
  /// Loads a model with the choices of a variant.
  func load(_ request: SessionRequest) throws -> any VariantSession
  /// Whether its sessions can be loaded side by side and measured in rounds (`InterleavedSpeed`).
  var measuresSpeedInRounds: Bool { get }
  /// Throws where a file that was identified has been written to since; gives the paths of those
  /// that were replaced, each once, while what was opened is still used.
  func checkUnchanged() throws -> [String]
}

extension ExperimentBackend {
  package var measuresSpeedInRounds: Bool { false }

  /// Nothing is picked by measuring.
  package func picks(_ request: SessionRequest) throws -> [StageKey: StageChoice] { [:] }

  /// There are no files.
  package func checkUnchanged() throws -> [String] { [] }
}

extension ExperimentBackend {
  /// Digests it.
  package func find(model: PathReference) throws { _ = try identify(model: model) }

  /// There are none.
  package func identify(tasks: HarnessNeeds) throws -> InputIdentity {
    throw LabError(.internalError, "the backend has no tasks of lm-evaluation-harness")
  }

  /// There are none.
  package func identify(retrieval: PathReference, limit: Int?) throws -> InputIdentity {
    throw LabError(.internalError, "the backend has no queries and documents")
  }

  /// Does nothing: for backends without tokenizers.
  package func use(tokenizer: PathReference) throws {}
}

/// A model or text as it was found.
package struct InputIdentity: Sendable, Codable, Equatable {
  /// As the file names it.
  package var name: String
  /// Where it was found.
  package var path: String
  /// SHA-256 over its bytes.
  package var digest: String
  /// Bytes in all.
  package var bytes: Int
  /// What figures depend on beside the bytes: how a text is read, what is known of a model's
  /// training.
  package var reading: String

  package init(name: String, path: String, digest: String, bytes: Int, reading: String = "") {
    self.name = name
    self.path = path
    self.digest = digest
    self.bytes = bytes
    self.reading = reading
  }

  /// Tells inputs apart: the bytes and how they are read.
  var key: String { "\(digest) \(reading)" }
}

/// What to load.
package struct SessionRequest: Sendable {
  /// The model.
  package var model: InputIdentity
  /// The choices.
  package var settings: VariantSettings
  /// Threads.
  package var threads: Int
  /// Positions of the KV cache; nil is the model's own.
  package var context: Int?
}

/// A variant that is loaded and can be measured. Metrics come back flat, without the section's name
/// in front; progress is a fraction.
package protocol VariantSession: AnyObject {
  /// Facts in words: kernels by what they run, head, provenance of the weights.
  var facts: [String: String] { get }
  /// Figures of the loaded model: bytes a token reads, parameters, load time.
  var figures: [String: Double] { get }
  /// Measures one section.
  func measure(_ measure: any Measure, _ request: MeasureRequest) throws -> Measured
}
