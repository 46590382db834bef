//! A section of the configuration: its keys, kinds, defaults and documentation, each said once.

/// Makes a struct whose fields are keys `section.field`, with the table of these keys and a
/// function that reads them.
macro_rules! section {
    (
        $(#[$about:meta])*
        $name:ident $section:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $default:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: $kind,)+
        }

        impl $name {
            pub(in crate::config) const KEYS: &[$crate::config::key::Key] = &[
                $($crate::config::key::Key {
                    name: concat!($section, ".", stringify!($field)),
                    kind: <$kind as $crate::config::setting::Setting>::KIND,
                    default: $default,
                    about: concat!($($doc),+),
                    shown: <$kind as $crate::config::setting::Setting>::shown,
                }),+
            ];

            /// `None` where a value is wrong; the values know which.
            pub(in crate::config) fn read(
                values: &mut $crate::config::values::Values,
            ) -> Option<Self> {
                $(let $field = values.read::<$kind>(concat!($section, ".", stringify!($field)));)+
                Some(Self { $($field: $field?,)+ })
            }
        }
    };
}

pub(super) use section;
