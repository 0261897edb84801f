//! `/model/new`, `/model/update`, `/model/delete`: models that are added at run time (contract
//! 3.2). They are entries of `model_list` that are kept in the store, their parameters sealed, and
//! come into force as an edit of the config does.
mod delete;
mod kept;
mod new;
mod team;
mod update;

pub use self::kept::entry;

serves! {
    POST "/model/new" => new::new,
    POST "/model/update" => update::update,
    PATCH "/model/{model_id}/update" => update::patch,
    POST "/model/delete" => delete::delete,
}
