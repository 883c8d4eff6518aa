// What the module CYaml exports: the header of libyaml that the system has.
#include <yaml.h>
