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
  /// Adds what a plug-in holds that an experiment file names.
  package let approved: ApprovedLoading
  /// The run that this process is watched in; nil where nobody watches.
  package let watched: WatchedRun?

  /// What commands are made from with the stages of `lab`.
  package init(
    lab: Lab, load: @escaping PluginLoading = TritCommand.noPlugins,
    approved: ApprovedLoading? = nil, watched: WatchedRun? = nil
  ) {
    self.lab = lab
    self.load = load
    self.approved = approved ?? TritCommand.approved(load)
    self.watched = watched
    stages = StageOptions(lab)
  }
}
