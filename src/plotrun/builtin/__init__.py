"""The plugins that come with plotrun, on the same hooks as everyone's."""
