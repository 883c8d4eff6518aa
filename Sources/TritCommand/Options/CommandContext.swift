import TritLab

/// What every command is made from: the lab, and the options that come from it. It is made anew
/// when plug-ins have been loaded.
package struct CommandContext: Sendable {
  /// Every stage that can be chosen.
  package let lab: Lab
  /// The options that choose among them.
  package let stages: StageOptions
  /// Adds what a plug-in holds.
  package let load: PluginLoading

  /// What commands are made from with the stages of `lab`.
  package init(lab: Lab, load: @escaping PluginLoading = TritCommand.noPlugins) {
    self.lab = lab
    self.load = load
    stages = StageOptions(lab)
  }
}
