from farm_fixture import farm

__all__ = ["farm"]
