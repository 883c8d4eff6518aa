import TritCore

/// What a cell may take.
public struct CellLimits: Sendable {
  /// Seconds of a cell, compilation apart; nil for no limit.
  public var seconds: Double?
  /// Bytes of resident memory of the process of the cells.
  public var memory: Int
  /// Bytes of text that a cell may print.
  public var printed: Int
  /// Bytes of all values that a cell may show.
  public var shown: Int
  /// Seconds that a cell has after it was asked to stop.
  public var grace = 2.0

  /// Limits; by default a minute, three quarters of the machine's memory, a mebibyte of text, 32 of
  /// pictures.
  public init(
    seconds: Double? = 60, memory: Int = HostInformation.memoryBytes / 4 * 3,
    printed: Int = 1 << 20, shown: Int = 32 << 20
  ) {
    self.seconds = seconds
    self.memory = memory
    self.printed = printed
    self.shown = shown
  }
}
