import TritCommand
import TritLab

TritCommand.main(lab: .standard)
