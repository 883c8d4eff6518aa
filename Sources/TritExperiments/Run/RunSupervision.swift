internal import Foundation
internal import TritCore

/// A run in a process of its own, watched by another one that starts it again where code from
/// outside ends it or hangs: what it tells, and what it is told of the processes before it.
package struct RunSupervision {
  /// What the processes before this one have left.
  package var handover: RunHandover
  /// Tells whoever watches.
  package var tell: (RunReport) -> Void

  package init(handover: RunHandover, tell: @escaping (RunReport) -> Void) {
    self.handover = handover
    self.tell = tell
  }
}

/// What a run's next process must know.
package struct RunHandover: Codable, Sendable {
  /// A variant that ended a process.
  package struct Failure: Codable, Sendable {
    /// The variant's id.
    package var id: String
    /// What its record says.
    package var error: String

    package init(id: String, error: String) {
      self.id = id
      self.error = error
    }
  }

  /// The run directory, once there is one.
  package var directory: String?
  /// Variants that are not tried again.
  package var failures: [Failure] = []
  /// Speeds that were measured in rounds, by the variants' ids: what was interleaved stays so.
  package var speeds: [String: Measured] = [:]
  /// Ids of the records that this run has measured.
  package var measured: [String] = []
  /// Digests of plug-ins that may be loaded: what was allowed when the run began.
  package var allowed: [String] = []
  /// Whether a process has said already that the run begins.
  package var hasBegun = false
  /// What a process measures that is one of several of its run; nil for one that runs all.
  package var worker: WorkerTask?

  package init() {}
}

/// What one of several processes of a run needs to measure variants that it is told one by one.
package struct WorkerTask: Codable, Sendable {
  /// The variants that it may be told, by number; −1 is the reference.
  package var variants: [Int]
  /// Threads for each variant, at most.
  package var threads: Int
  /// What the run depends on, as the process that hands out has found it, so that no file is
  /// digested twice.
  package var models: [InputIdentity]
  /// How many such processes there are.
  package var count: Int
}

/// A variant that a process is to measure.
package struct WorkerOrder: Codable, Sendable {
  /// The number in the plan; −1 is the reference.
  package var variant: Int
  /// Threads, at most.
  package var threads: Int
  /// What the reference wrote, where it is known.
  package var referenceTexts: [GeneratedText]?

  /// One line.
  package var line: String { RunCoding.text(self) }

  /// Reads what `line` gave.
  package init?(line: String) {
    guard let value = RunCoding.value(WorkerOrder.self, line) else { return nil }
    self = value
  }

  init(variant: Int, threads: Int, referenceTexts: [GeneratedText]?) {
    self.variant = variant
    self.threads = threads
    self.referenceTexts = referenceTexts
  }
}

/// What a watched run tells, as it happens.
package enum RunReport: Codable, Sendable {
  /// The run's folder.
  case directory(String)
  /// A variant is at work in a section, or no variant is.
  case atWork(AtWork?)
  /// Speeds of all variants, by id.
  case speeds([String: Measured])
  /// A record of this run is on the disk.
  case measured(id: String)
  /// How far a process with orders is.
  case progress(section: String, fraction: Double)
  /// What a process with orders measured.
  case record(RunRecord)
  /// Something that the user should know.
  case note(String)

  /// Who is at work.
  package struct AtWork: Codable, Sendable, Equatable {
    package var id: String
    package var label: String
    package var section: String
    /// Whether it may run code from outside.
    package var isGuest: Bool
    /// Whether this is the reference: by itself, or because the variant compares with it.
    package var isReference: Bool
  }

  /// One line of a report.
  package var line: String { "R " + RunCoding.text(self) }

  /// Reads a line; nil for one of another kind.
  package init?(line: some StringProtocol) {
    guard line.hasPrefix("R "), let value = RunCoding.value(RunReport.self, line.dropFirst(2))
    else { return nil }
    self = value
  }
}

extension RunHandover {
  /// As the next process reads it.
  package var text: String { RunCoding.text(self) }

  /// Reads what `text` gave; nil for anything else.
  package init?(text: String) {
    guard let value = RunCoding.value(RunHandover.self, text) else { return nil }
    self = value
  }
}

/// Values between the two processes, one line each; figures that are none are words, as in records.
private enum RunCoding {
  static func text(_ value: some Encodable) -> String {
    guard let data = try? RecordCoding.encoder().encode(value) else {
      preconditionFailure("what the processes of a run tell each other has a form in JSON")
    }
    return String(decoding: data, as: UTF8.self)
  }

  static func value<V: Decodable>(_ type: V.Type, _ text: some StringProtocol) -> V? {
    try? RecordCoding.decoder().decode(type, from: Data(text.utf8))
  }
}
