import TritLab

/// The stages that the commands know. Every command takes them from here, so that one that is added is listed,
/// explained, checked and run by all of them.
enum CommandLab {
  static let lab = Lab.standard
}
