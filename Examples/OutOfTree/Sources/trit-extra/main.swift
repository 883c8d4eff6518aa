import ExtraStages
import TritCommand
import TritLab

// The command of TritLab with the stages of this package in flags, lists, schema and completions.
TritCommand.main(lab: try Lab.extra())
