import Foundation

extension MessageWriter {
  /// A name that no other message has.
  static func newID() -> String { UUID().uuidString.lowercased() }

  /// The time in UTC as ISO 8601 writes it, with microseconds.
  static func date(_ now: Date = Date()) -> String {
    now.ISO8601Format(.init(includingFractionalSeconds: true))
  }
}
